"""The commands of docs/backup.md and docs/upgrading.md for Docker do what the pages say."""

import json
from pathlib import Path

import pytest

from tests.deployment.images import ROOT
from tests.deployment.stack import SERVICES, Stack

pytestmark = pytest.mark.docker

_DAY = "2026-11-01"


def _commands(page: str) -> list[str]:
    """Return the blocks of commands in a page's section `Docker`."""
    text = (ROOT / "docs" / page).read_text().partition("## Docker\n")[2].partition("\n## ")[0]
    return [it.partition("```")[0] for it in text.split("```console\n")[1:]]


def _days(stack: Stack) -> list[tuple[str, str]]:
    # It ends with 1 while a sensor has not looked again since a restart.
    told = stack.execute("dagster-user-code", "sh", "-c", "lending-club status --json || true")
    return [(it["as_of_date"], it["status"]) for it in json.loads(told)["days"]]


def test_what_was_backed_up_is_there_again_after_the_volumes_were_lost(
    stack: Stack, sample: Path
) -> None:
    stack.settle(sample, _DAY)
    runs, summary = stack.runs(), stack.output("account_summary.csv")
    back_up, restore = _commands("backup.md")

    stack.shell(back_up)
    stack.shell(restore)

    stack.expect_all_healthy(SERVICES)
    assert {run: it["status"] for run, it in runs.items()}.items() <= {
        run: it["status"] for run, it in stack.runs().items()
    }.items()
    assert stack.output("account_summary.csv") == summary
    assert _days(stack) == [(_DAY, "published")]
    assert stack.expect_status(stack.launch(_DAY), ("SUCCESS",), 600)


def test_the_steps_of_an_upgrade_leave_runs_and_outputs_as_they_were(
    stack: Stack, sample: Path
) -> None:
    stack.settle(sample, _DAY)
    runs, summary = stack.runs(), stack.output("account_summary.csv")
    (steps,) = _commands("upgrading.md")
    # What the image is built from comes from no registry here.
    build, rest = steps.split("\n", 1)
    assert build == "docker compose build --pull"

    said = stack.shell(rest)

    assert "dagster@postgres:5432/dagster, PostgreSQL" in said
    assert runs.keys() <= stack.runs().keys()
    assert stack.output("account_summary.csv") == summary
