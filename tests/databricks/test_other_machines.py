"""On a SQL warehouse: what is known of a date, and a run that another machine completes."""

import datetime as dt
import shutil
from pathlib import Path

import pytest

from databricks_stand_in.client import WarehouseClient
from lending_club_pipeline.reconcile import checks
from lending_club_pipeline.reconcile.checks import CheckResult, read_checks, record_checks
from lending_club_pipeline.runs.day_journal import Build, DayJournal
from lending_club_pipeline.runs.day_states import DayState, read_days
from tests.databricks.deliveries import ACCOUNTS, DAY, RESTATED, deliver
from tests.databricks.killing import (
    EMBEDDED,
    RUN,
    command,
    killed_run,
    published,
    readers_see,
    undisturbed,
)
from tests.databricks.pipelines import warehouse_of

NEXT = DAY + dt.timedelta(days=1)


def test_days_and_checks_are_kept_with_their_types(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    ours = warehouse_of(warehouse, tmp_path)
    found = [
        CheckResult("unique", "accounts_raw", True, "error", "It's unique: 'a' \\ \"b\"\n, ä."),
        CheckResult("usual", "accounts_raw", False, "warn", ""),
    ]
    with ours.session(run_id="first"):
        assert read_days(ours) == {}
        assert read_checks(ours, DAY) == []
        journal = DayJournal.begin(ours, "first")
        journal.land("O'Brien's \\ folder", {DAY: "{}", NEXT: ""})
        journal.begin_build([DAY, NEXT], "project")
        journal.end_build([DAY], Build(is_built=True, closed=[DAY], blocking_checks=7))
        journal.publish(DAY, "digest")
        journal.serve(DAY)
        assert record_checks(ours, [DAY, NEXT], found, keeps_others=False) == 1
        assert record_checks(ours, [DAY], found[1:], keeps_others=True) == 1

    with ours.session(read_only=True):
        known = read_days(ours)
        assert read_checks(ours, DAY) == found
        assert ours.read_days(checks.TABLE, []) == []
        assert {"pipeline_days", "delivery_checks"} <= ours.relations()
    assert known == journal.days
    assert isinstance(known[DAY], DayState)
    assert (known[DAY].is_built, known[DAY].is_held, known[DAY].blocking_checks) == (True, False, 7)
    assert known[DAY].published_at is not None
    assert known[DAY].served_builds == known[DAY].published_builds != ""
    assert known[NEXT].is_interrupted
    with ours.session():
        assert record_checks(ours, [NEXT], [], keeps_others=False) == 0
        assert read_checks(ours, NEXT) == []
        assert read_checks(ours, DAY) == found


@pytest.fixture
def machines(tmp_path: Path, prepared_dbt: Path) -> tuple[Path, Path]:
    """The folders of two machines that deliver the same."""
    folders = tmp_path / "first", tmp_path / "second"
    for folder in folders:
        shutil.copytree(prepared_dbt, folder / EMBEDDED / "dagster" / "dbt")
        deliver(folder, ACCOUNTS.encode())
    return folders


@pytest.mark.exhaustive
def test_what_was_killed_on_one_machine_is_completed_on_another(
    warehouse: WarehouseClient, machines: tuple[Path, Path]
) -> None:
    first, second = machines
    ended = command(warehouse, first, *RUN)
    assert ended.returncode == 0, ended.stderr
    for folder in machines:
        deliver(folder, RESTATED.encode())
    killed = killed_run(
        warehouse, first, matching=r"insert into\s+\S*`account_summary_daily`", after=True
    )
    assert killed.returncode < 0
    shutil.rmtree(first)

    # Its inputs are another folder, with the delivery that is known; its lease has to run out.
    again = command(warehouse, second, "run", "--as-of", DAY.isoformat(), "--wait", "600")

    assert again.returncode == 0, again.stderr
    assert published(second) == undisturbed(second, warehouse)
    assert len(readers_see(warehouse)) > 0
    idle = command(warehouse, second, *RUN)
    assert "nothing to do" in " ".join(idle.stdout.split()), idle.stdout + idle.stderr
