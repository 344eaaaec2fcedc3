"""`lending-club status`, and what programs are told by --json."""

import datetime as dt
import json
from typing import Any

import pytest

from lending_club_pipeline.operating.conditions import Status
from lending_club_pipeline.present.status import print_status
from lending_club_pipeline.runs.overview import DayOverview, Overview, Standing
from tests.workspaces import Workspace

CANARY = "Zebulon Canaryworth"
D1, D2, D3 = (dt.date(2026, 3, day) for day in (1, 2, 3))
GOOD = "A,1,100.00,Savings\n"


def asked(workspace: Workspace, *arguments: str, code: int = 0) -> dict[str, Any]:
    done = workspace.command(*arguments, "--json", SENSOR_SETTLE_SECONDS="0")
    assert done.returncode == code, done.stdout + done.stderr
    assert CANARY not in done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_status_says_how_each_date_stands_before_and_after_runs(workspace: Workspace) -> None:
    workspace.deliver(f"1,{CANARY},Yes\n", GOOD, D1)
    assert [day["status"] for day in asked(workspace, "status")["days"]] == ["new"]

    report = asked(workspace, "run", "--as-of", D1.isoformat())
    assert [(day["as_of_date"], day["outcome"]) for day in report["days"]] == [
        ("2026-03-01", "success")
    ]
    stages = {(it["source_file"], it["stage"]): it for it in report["days"][0]["ledger"]["stages"]}
    assert stages["accounts.csv", "published"]["balance"] == "100.00"
    assert len(report["written"]) == 4

    workspace.deliver(f"1,{CANARY},Yes\n", b"AccountID\nA\n", D2)
    workspace.deliver(f"1,{CANARY},Yes\n", GOOD, D3)
    refused = asked(workspace, "run", "--as-of", D2.isoformat(), code=3)
    assert "accounts.csv, line 1" in refused["days"][0]["message"]

    found = asked(workspace, "status", code=1)
    assert [(day["as_of_date"], day["status"], day["delivery"]) for day in found["days"]] == [
        ("2026-03-01", "published", "unchanged"),
        ("2026-03-02", "refused", "refused"),
        ("2026-03-03", "new", "changed"),
    ]
    (problem,) = found["problems"]
    assert problem["alertname"] == "DeliveryRefused"
    assert "accounts.csv, line 1" in problem["summary"]
    assert problem["run_id"] == refused["days"][0]["run_id"]

    # Taken back, it is no problem any more, although no run has said so.
    for file in (workspace.inputs / D2.isoformat()).iterdir():
        file.unlink()
    (workspace.inputs / D2.isoformat()).rmdir()
    found = asked(workspace, "status")
    assert [day["status"] for day in found["days"]] == ["published", "missing", "new"]
    assert found["problems"] == []


def test_status_prints_what_to_do(workspace: Workspace) -> None:
    done = workspace.command("status")

    assert done.returncode == 0
    assert "No delivery was processed yet" in done.stdout
    assert "Nothing is wrong." in done.stdout
    assert not (workspace.root / "lending_club.duckdb").exists()


@pytest.mark.parametrize(
    ("standing", "said"),
    [
        ("processed", "Nothing is wrong."),
        ("interrupted", "The next run completes it."),
    ],
)
def test_people_are_told_whether_anything_is_left_to_do(
    capsys: pytest.CaptureFixture[str], standing: Standing, said: str
) -> None:
    seen = Overview([DayOverview(D1, standing, "unchanged")])

    print_status(Status(seen, alerts=(), notes=(), dagster_url=""), last=30)

    assert capsys.readouterr().out.rstrip().endswith(said)
