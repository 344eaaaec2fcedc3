"""Records of days that are older than RETENTION_DAYS are dropped; what tells of them stays."""

import datetime as dt
import shutil
from typing import Any

import dagster as dg
import pytest

from lending_club_pipeline.contract.errors import ConfigurationError
from lending_club_pipeline.defs.project import build_definitions
from lending_club_pipeline.explanations.traces import NothingToExplainError, trace_account
from lending_club_pipeline.runs.retention import choose_expired, expire
from lending_club_pipeline.warehouse import choose_warehouse
from tests.workspaces import AS_OF, Workspace

DAYS = [AS_OF + dt.timedelta(days=n) for n in range(4)]
CUSTOMERS = "1,Ada,yes\n"
# Two accounts and one without a balance: with the customer four raw rows, two published ones, and
# one in quarantine, seven in all.
ROWS_OF_A_DAY = 7
DROPPED = ("accounts_raw", "customers_raw", "delivered_files", "account_summary_daily")
KEPT = (
    "delivery_ledger",
    "account_summary_by_tier",
    "delivery_movements",
    "delivery_changes",
    "account_history",
    "customer_history",
)


def accounts(day: int) -> str:
    return f"A1,1,10{day}.00,Savings\nA2,1,50.00,Savings\nA3,1,,Savings\n"


def deliver_and_process(workspace: Workspace) -> None:
    for n, day in enumerate(DAYS):
        workspace.deliver(CUSTOMERS, accounts(n), day)
    report = workspace.run_range(DAYS[0], DAYS[-1])
    assert [day.outcome for day in report.days] == ["success"] * 4


def contents(workspace: Workspace, *relations: str) -> dict[str, list[Any]]:
    warehouse = choose_warehouse(workspace.settings())
    with warehouse.session(read_only=True):
        return {
            name: sorted(str(row) for row in warehouse.fetch(f"select * from {name}"))
            for name in relations
        }


def days_in(workspace: Workspace, relation: str) -> list[dt.date]:
    warehouse = choose_warehouse(workspace.settings())
    with warehouse.session(read_only=True):
        rows = warehouse.fetch(f"select distinct as_of_date from {relation} order by as_of_date")
    return [row["as_of_date"] for row in rows]


def landed(workspace: Workspace) -> list[str]:
    return sorted(path.name for path in workspace.settings().landing.glob("as_of_date=*"))


def folders(*days: dt.date) -> list[str]:
    return [f"as_of_date={day}" for day in days]


def drop(workspace: Workspace, days: int = 1, *, dry_run: bool = False) -> list[dt.date]:
    settings = workspace.settings(retention_days=days)
    warehouse = choose_warehouse(settings)
    with warehouse.session():
        found = expire(warehouse, settings, dry_run=dry_run)
    assert all(day.rows in (0, ROWS_OF_A_DAY) for day in found)
    return [day.as_of_date for day in found]


def test_age_counts_from_the_newest_date_and_what_is_needed_stays() -> None:
    newest = dt.date(2026, 3, 31)
    dates = [dt.date(2026, 3, 1), dt.date(2026, 2, 28), dt.date(2026, 1, 1), newest]

    assert choose_expired(dates, newest, 30, {dt.date(2026, 1, 1)}) == [dt.date(2026, 2, 28)]


def test_older_days_are_dropped_once_and_what_tells_of_them_stays(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver_and_process(workspace)
    before, published = contents(workspace, *KEPT), workspace.output_bytes()

    assert drop(workspace, dry_run=True) == DAYS[:2]
    said = workspace.command("expire", "--days", "2", "--dry-run")
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith(f"{DAYS[0]}: 7 rows, ")
    assert "1 days would be dropped: 7 rows, " in said.stdout
    assert landed(workspace) == folders(*DAYS)
    assert days_in(workspace, "account_summary_daily") == DAYS

    # The job of the schedule says how much it drops.
    monkeypatch.setenv("RETENTION_DAYS", "2")
    job = build_definitions(workspace.settings()).resolve_job_def("drop_expired_data")
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance)
    (ended,) = (it for it in result.all_node_events if it.is_successful_output)
    metadata = ended.step_output_data.metadata
    assert (metadata["days"].value, metadata["rows"].value) == (1, ROWS_OF_A_DAY)
    assert landed(workspace) == folders(*DAYS[1:])

    assert drop(workspace) == DAYS[1:2]
    assert landed(workspace) == folders(*DAYS[2:])
    assert {name: days_in(workspace, name) for name in DROPPED} == dict.fromkeys(DROPPED, DAYS[2:])
    assert days_in(workspace, "quarantined_records") == DAYS[2:]
    assert contents(workspace, *KEPT) == before
    assert workspace.output_bytes() == published
    assert drop(workspace) == []

    warehouse = choose_warehouse(workspace.settings())
    with (
        warehouse.session(read_only=True),
        pytest.raises(NothingToExplainError, match="2026-01-31 are no longer kept"),
    ):
        trace_account(warehouse, "A1", DAYS[0])


@pytest.mark.exhaustive
def test_a_dropped_day_is_left_alone_until_it_is_asked_for(workspace: Workspace) -> None:
    deliver_and_process(workspace)
    before = contents(workspace, *KEPT[3:])
    drop(workspace)

    report = workspace.run_range(DAYS[0], DAYS[-1], retention_days=1)

    assert [day.outcome for day in report.days] == ["expired"] * 2 + ["unchanged"] * 2
    assert workspace.run(DAYS[1], retention_days=1).outcome == "success"
    assert days_in(workspace, "account_summary_daily") == DAYS[1:]
    assert contents(workspace, *KEPT[3:]) == before


@pytest.mark.exhaustive
def test_a_run_without_a_date_lands_no_dropped_day_again(workspace: Workspace) -> None:
    deliver_and_process(workspace)
    drop(workspace)
    for day in DAYS[2:]:
        shutil.rmtree(workspace.inputs / day.isoformat())

    ended = workspace.command("run", RETENTION_DAYS="1")

    assert ended.returncode == 0, ended.stderr
    assert f"The newest delivery, of {DAYS[1]}, was processed before" in ended.stdout
    assert "--as-of lands it again" in ended.stdout
    assert landed(workspace) == folders(*DAYS[2:])


@pytest.mark.exhaustive
@pytest.mark.parametrize("step", ["before_the_folders", "while_a_folder_is_removed"])
def test_what_a_killed_run_left_is_dropped_by_the_next(workspace: Workspace, step: str) -> None:
    deliver_and_process(workspace)
    warehouse = choose_warehouse(workspace.settings())
    with warehouse.session():
        warehouse.drop_days(DAYS[:2])
    left = DAYS[:2]
    if step == "while_a_folder_is_removed":
        folder = workspace.settings().landing / f"as_of_date={DAYS[0]}"
        folder.rename(folder.with_name(f".expired-{folder.name}"))
        left = DAYS[1:2]

    settings = workspace.settings(retention_days=1)
    with warehouse.session():
        assert [day.as_of_date for day in expire(warehouse, settings, dry_run=False)] == left
    assert landed(workspace) == folders(*DAYS[2:])


def test_nothing_is_dropped_without_the_setting(workspace: Workspace) -> None:
    warehouse = choose_warehouse(workspace.settings())
    with warehouse.session(), pytest.raises(ConfigurationError, match="RETENTION_DAYS is not set"):
        expire(warehouse, workspace.settings(), dry_run=False)
