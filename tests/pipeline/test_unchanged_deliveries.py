"""`lending-club run` does nothing twice, says so, and can be told to."""

import datetime as dt
import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lending_club_pipeline.cli import cli
from lending_club_pipeline.ingest.deliveries import delivered_files
from lending_club_pipeline.runs import survey
from lending_club_pipeline.runs.outlook import Request, look_ahead
from lending_club_pipeline.runs.plan import Process, Skip
from lending_club_pipeline.warehouse.duckdb import DuckDBWarehouse
from tests.workspaces import AS_OF, Workspace

CUSTOMERS = "1,Ada,Yes\n"
ACCOUNTS = "A,1,100,Savings\n"
NOTHING = "is unchanged since it was processed: there was nothing to do"
RUN = ("run", "--as-of", AS_OF.isoformat())


def invoke(workspace: Workspace, *arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, env=workspace.variables())


def is_nothing(result: Result) -> bool:
    """Whether a successful command said that there was nothing to do."""
    assert result.exit_code == 0, result.output
    return NOTHING in " ".join(result.output.split())


DAYS = [AS_OF - dt.timedelta(days=n) for n in range(8)]


@pytest.fixture(scope="module")
def processed(new_workspace: Callable[[str], Workspace]) -> Workspace:
    """Eight days that were processed."""
    workspace = new_workspace("processed")
    for day in DAYS:
        workspace.deliver(CUSTOMERS, ACCOUNTS, day)
    assert workspace.run_range(DAYS[-1], DAYS[0]).outcomes == {"success"}
    return workspace


def modified(workspace: Workspace) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in workspace.outputs.iterdir()}


def test_an_unchanged_delivery_is_not_processed_again(processed: Workspace) -> None:
    invoke(processed, *RUN)
    before = modified(processed)

    again = invoke(processed, *RUN)

    assert is_nothing(again)
    assert "published 1 100.00" in " ".join(again.output.split())
    assert modified(processed) == before


def test_files_that_were_only_touched_are_unchanged(processed: Workspace) -> None:
    invoke(processed, *RUN)
    for path in (processed.inputs / AS_OF.isoformat()).iterdir():
        os.utime(path, (1, 1))

    assert is_nothing(invoke(processed, *RUN))


def test_it_can_be_forced(processed: Workspace) -> None:
    before = processed.output_bytes()

    assert not is_nothing(invoke(processed, *RUN, "--force"))
    assert processed.output_bytes() == before


def test_a_range_of_unchanged_days_is_left_alone(processed: Workspace) -> None:
    invoke(processed, *RUN)
    before = modified(processed)

    result = invoke(processed, "run", "--from", "2026-01-01", "--to", "2026-01-31")

    assert result.exit_code == 0
    assert "2026-01-31 unchanged 2 0 0 1 100.00" in " ".join(result.output.split())
    assert modified(processed) == before


@pytest.mark.exhaustive
@pytest.mark.parametrize("changed", ["Customer.csv", "accounts.csv"])
def test_a_changed_file_is_processed(workspace: Workspace, changed: str) -> None:
    workspace.deliver(CUSTOMERS, ACCOUNTS)
    invoke(workspace, *RUN)
    path = workspace.inputs / AS_OF.isoformat() / changed
    path.write_bytes(path.read_bytes().replace(b"1,", b"2,"))

    assert not is_nothing(invoke(workspace, *RUN))


def test_what_is_missing_is_made_again(processed: Workspace) -> None:
    (processed.outputs / "report.html").unlink()

    assert not is_nothing(invoke(processed, *RUN))
    assert (processed.outputs / "report.html").exists()


def test_what_was_damaged_is_made_again(processed: Workspace) -> None:
    invoke(processed, *RUN)
    good = processed.output_bytes()
    with (processed.outputs / "account_summary.csv").open("a") as file:
        file.write("1,B,1.00,0.0100,0.01,1.01\n")

    # A range of days publishes the newest one again.
    result = invoke(processed, "run", "--from", "2026-01-01", "--to", "2026-01-31")

    assert "2026-01-31 unchanged" in " ".join(result.output.split())
    assert "account_summary.csv" in result.output
    assert processed.output_bytes() == good


def test_a_day_of_a_range_that_lies_in_the_future_is_refused_alone(processed: Workspace) -> None:
    invoke(processed, *RUN)
    tomorrow = processed.settings().today().date + dt.timedelta(days=1)
    ahead = processed.deliver(CUSTOMERS, ACCOUNTS, tomorrow)

    result = invoke(processed, "run", "--from", "2026-01-31", "--to", tomorrow.isoformat())
    shutil.rmtree(ahead)

    assert result.exit_code == 3
    said = " ".join(result.output.split())
    assert "2026-01-31 unchanged" in said
    assert f"{tomorrow} refused" in said
    assert "lies in the future" in said


def test_another_folder_does_not_hold_what_was_published(
    processed: Workspace, tmp_path: Path
) -> None:
    invoke(processed, *RUN)

    result = invoke(processed, *RUN, "--outputs", str(tmp_path / "elsewhere"))

    assert not is_nothing(result)
    for name, content in processed.output_bytes().items():
        assert (tmp_path / "elsewhere" / name).read_bytes() == content
    assert is_nothing(invoke(processed, *RUN))


def test_eight_unchanged_days_cost_one_session_and_one_fingerprint(
    processed: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoke(processed, *RUN)
    counted: Counter[str] = Counter()

    def counting(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def call(*given: Any, **named: Any) -> Any:
            counted[name] += 1
            return real(*given, **named)

        monkeypatch.setattr(owner, name, call)

    counting(DuckDBWarehouse, "session")
    counting(survey, "fingerprint")
    outlook = look_ahead(
        processed.settings(), Request(first=DAYS[-1], last=DAYS[0]), processed.settings().today()
    )

    assert outlook.steps == [Skip(day, "unchanged") for day in reversed(DAYS)]
    assert counted == {"session": 1, "fingerprint": 1}


@pytest.mark.exhaustive
def test_a_lost_database_is_made_again(workspace: Workspace) -> None:
    workspace.deliver(CUSTOMERS, ACCOUNTS)
    invoke(workspace, *RUN)
    workspace.database.unlink()

    assert not is_nothing(invoke(workspace, *RUN))
    assert is_nothing(invoke(workspace, *RUN))


@pytest.mark.exhaustive
def test_other_rates_are_a_reason_to_process_again(
    processed: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(survey, "fingerprint", lambda *_: "of another project")

    assert not is_nothing(invoke(processed, *RUN))
    assert is_nothing(invoke(processed, *RUN))


def test_a_delivery_that_cannot_be_read_needs_a_run_that_says_so(
    processed: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoke(processed, *RUN)

    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(delivered_files, "sha256_of", refuse)
    outlook = look_ahead(processed.settings(), Request(as_of=AS_OF), processed.settings().today())

    assert outlook.steps == [Process((AS_OF,))]


def test_a_refused_delivery_is_refused_again(workspace: Workspace) -> None:
    workspace.deliver(CUSTOMERS, b"a;b\n1;2\n")

    results = [invoke(workspace, *RUN) for _ in range(2)]

    assert [result.exit_code for result in results] == [3, 3]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--to", "2026-01-31"),
        ("--from", "2026-01-31", "--as-of", "2026-01-31"),
    ],
)
def test_a_date_and_a_range_together_are_wrong_usage(
    processed: Workspace, arguments: tuple[str, ...]
) -> None:
    result = invoke(processed, "run", *arguments)

    assert result.exit_code != 0
    assert "Name one date (--as-of), or a range of them (--from, --to)." in result.output


@pytest.mark.exhaustive
def test_a_range_with_a_refused_day_ends_with_the_code_for_refusals(
    tmp_path: Path, workspace: Workspace
) -> None:
    workspace.deliver(CUSTOMERS, ACCOUNTS, dt.date(2026, 2, 1))
    workspace.deliver(CUSTOMERS, b"a;b\n1;2\n", dt.date(2026, 2, 2))

    done = workspace.command("run", "--from", "2026-02-01", "--to", "2026-02-02")

    assert done.returncode == 3
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "2026-02-01 processed 2 0 0 1 100.00" in lines
    assert "2026-02-02 refused" in lines
