"""Many days in one run, each failure on its own, and nothing done twice."""

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value

from lending_club_pipeline.config.clock import day_of, now
from lending_club_pipeline.contract.errors import ConfigurationError, RefusedDeliveryError
from lending_club_pipeline.defs.instance import opened_history
from lending_club_pipeline.defs.partitions import daily_partitions
from lending_club_pipeline.defs.project import build_definitions
from lending_club_pipeline.runs.campaigns import Campaign
from lending_club_pipeline.runs.outlook import Outlook, Request, look_ahead
from lending_club_pipeline.runs.plan import Process
from lending_club_pipeline.runs.reports import CommandReport, RunReport
from tests.workspaces import Workspace

CUSTOMERS = "1,Ada,Yes\n2,Grace,No\n"
FIRST = dt.date(2026, 3, 1)
DAYS = [FIRST + dt.timedelta(days=n) for n in range(8)]
MISSING, BROKEN, LAST = DAYS[3], DAYS[5], DAYS[7]


def accounts(day: dt.date) -> str:
    """Another balance and another unusable record every day."""
    return (
        f"A,1,{day.day}00.01,Savings\nB,2,20000,Savings\nC,2,7,Checking\nD,{day.day}9,1,Savings\n"
    )


def deliver_all(workspace: Workspace) -> None:
    for day in DAYS:
        workspace.deliver(CUSTOMERS, accounts(day), day)
    shutil.rmtree(workspace.inputs / MISSING.isoformat())
    (workspace.inputs / BROKEN.isoformat() / "accounts.csv").write_text("a;b\n1;2\n")


def backfill(workspace: Workspace, *, force: bool = False, **settings: object) -> CommandReport:
    return workspace.run_range(DAYS[0], LAST, force=force, **settings)


def rows(workspace: Workspace, table: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(workspace.database), read_only=True) as connection:
        return sorted(connection.execute(f"from {table}").fetchall(), key=repr)


@pytest.fixture(scope="module")
def processed(
    new_workspace: Callable[[str], Workspace],
) -> Iterator[tuple[Workspace, CommandReport]]:
    """All days but a missing one, of which one is broken, in one go."""
    workspace = new_workspace("backfill")
    deliver_all(workspace)
    return workspace, backfill(workspace)


Processed = tuple[Workspace, CommandReport]


def test_each_day_ends_with_an_outcome_of_its_own(processed: Processed) -> None:
    _, report = processed

    outcomes = {day.as_of_date: day.outcome for day in report.days}
    assert outcomes == {
        **dict.fromkeys(DAYS, "success"),
        MISSING: "missing",
        BROKEN: "refused",
    }
    refused = next(day for day in report.days if day.as_of_date == BROKEN)
    assert "separated by a semicolon" in refused.message
    assert all(
        day.ledger is not None and day.ledger.is_closed
        for day in report.days
        if day.outcome == "success"
    )


def test_neighbouring_days_share_a_run(processed: Processed) -> None:
    workspace, _ = processed

    with opened_history(workspace.settings()) as instance:
        runs = list(reversed(instance.get_runs()))

    ranges = [
        (run.tags.get("dagster/asset_partition_range_start") or run.tags["dagster/partition"])
        for run in runs
        if run.is_success
    ]
    # Before the missing day, between it and the broken one, after that.
    assert ranges == [DAYS[0].isoformat(), DAYS[4].isoformat(), DAYS[6].isoformat()]
    # The days after the missing one were tried together first; the broken one stopped them.
    assert len([run for run in runs if not run.is_success]) == 1


def _keys(subset: Any) -> set[str]:
    return set(subset.get_partition_keys())


def test_dagster_shows_the_broken_day_as_failed_and_the_missing_one_as_missing(
    processed: Processed,
) -> None:
    workspace, _ = processed
    partitions = daily_partitions(workspace.settings().days.first_as_of_date, "UTC")

    with opened_history(workspace.settings()) as instance:
        found = {}
        for name in ("accounts_raw", "account_summary_daily", "account_summary_csv"):
            status = get_and_update_asset_status_cache_value(
                instance, dg.AssetKey(name), partitions
            )
            assert status is not None
            found[name] = (
                _keys(status.deserialize_materialized_partition_subsets(partitions)),
                _keys(status.deserialize_failed_partition_subsets(partitions)),
            )

    good = {day.isoformat() for day in DAYS} - {MISSING.isoformat(), BROKEN.isoformat()}
    assert found == dict.fromkeys(found, (good, {BROKEN.isoformat()}))


def test_dagster_puts_as_many_days_into_a_run_as_the_setting_says(workspace: Workspace) -> None:
    definitions = build_definitions(workspace.settings(backfill_days_per_run=7))

    graph = definitions.resolve_asset_graph()

    job = definitions.resolve_job_def("process_delivery")
    policies = {graph.get(key).backfill_policy for key in job.asset_layer.executable_asset_keys}
    assert policies == {dg.BackfillPolicy.multi_run(max_partitions_per_run=7)}


@pytest.mark.exhaustive
def test_a_backfill_gives_the_rows_of_one_run_for_each_day(
    processed: Processed, make_workspace: Callable[[str], Workspace]
) -> None:
    workspace, _ = processed
    one_by_one = make_workspace("one-by-one")
    deliver_all(one_by_one)
    for day in DAYS:
        one_by_one.run(day)

    for table in (
        *("account_summary", "account_summary_daily", "account_summary_by_tier"),
        *("quarantined_records", "delivery_ledger"),
    ):
        assert rows(workspace, table) == rows(one_by_one, table), table
    for name in ("account_summary.csv", "account_summary.parquet", "quarantine.csv"):
        assert workspace.output_bytes()[name] == one_by_one.output_bytes()[name]


@pytest.mark.exhaustive
def test_unchanged_days_are_left_alone_and_a_restated_one_replaces_exactly_itself(
    processed: Processed, tmp_path: Path
) -> None:
    shutil.copytree(processed[0].root, tmp_path, dirs_exist_ok=True)
    workspace = Workspace(tmp_path)
    restated = DAYS[1]
    before = rows(workspace, "account_summary_daily")
    workspace.deliver(CUSTOMERS, accounts(restated) + "E,1,1,Savings\n", restated)

    # The database knows where the landed files were, not where they were copied to.
    first = backfill(workspace, force=True)
    again = backfill(workspace)

    assert {day.outcome for day in first.days} == {"success", "missing", "refused"}
    assert {day.outcome for day in again.days} == {"unchanged", "missing", "refused"}
    after = rows(workspace, "account_summary_daily")
    assert [row for row in after if row not in before] == [
        row for row in after if row[0] == restated and row[2] == "E"
    ]
    assert len(after) == len(before) + 1


@pytest.mark.exhaustive
def test_a_day_that_fails_alone_is_found(workspace: Workspace) -> None:
    # No rate is in force before 1900.
    days = [dt.date(1899, 12, 31) + dt.timedelta(days=n) for n in range(3)]
    for day in days:
        workspace.deliver(CUSTOMERS, accounts(day), day)
    report = workspace.run_range(days[0], days[-1], first_as_of_date=dt.date(1899, 1, 1))

    assert [day.outcome for day in report.days] == ["failed", "success", "success"]
    assert "every_balance_has_one_rate_in_force" in report.days[0].message


def test_a_range_without_a_delivery_is_refused(workspace: Workspace) -> None:
    workspace.deliver(CUSTOMERS, accounts(FIRST), dt.date(2026, 4, 1))

    with pytest.raises(RefusedDeliveryError, match="no delivery from 2026-03-01 through"):
        backfill(workspace)


def test_days_without_a_partition_are_refused_with_the_setting(workspace: Workspace) -> None:
    workspace.deliver(CUSTOMERS, accounts(FIRST), dt.date(2019, 12, 31))

    with pytest.raises(ConfigurationError, match="before FIRST_AS_OF_DATE=2020-01-01"):
        workspace.run(dt.date(2019, 12, 31))


def test_a_run_of_a_range_leaves_days_without_delivery_out_and_says_so(
    workspace: Workspace,
) -> None:
    for day in (DAYS[0], DAYS[2]):
        workspace.deliver(CUSTOMERS, accounts(day), day)
    job = build_definitions(workspace.settings()).resolve_job_def("process_delivery")

    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(
            instance=instance,
            tags={
                "dagster/asset_partition_range_start": DAYS[0].isoformat(),
                "dagster/asset_partition_range_end": DAYS[2].isoformat(),
            },
        )

        assert result.success
        counts = {
            event.partition: event.materialization.metadata["dagster/row_count"].value
            for event in result.get_asset_materialization_events()
            if event.asset_key == dg.AssetKey("accounts_raw")
        }
    assert counts == {DAYS[0].isoformat(): 4, DAYS[1].isoformat(): 0, DAYS[2].isoformat(): 4}


def test_today_has_a_partition() -> None:
    today = day_of(now(), "UTC").date
    assert daily_partitions(FIRST, "UTC").get_last_partition_key() == today.isoformat()


def test_a_run_takes_no_more_days_than_fit_into_the_memory_of_the_engine(
    workspace: Workspace,
) -> None:
    days = DAYS[:5]
    for day in days:
        workspace.deliver(CUSTOMERS, accounts(day), day)
    large = workspace.inputs / DAYS[1].isoformat() / "accounts.csv"
    with large.open("a") as file:
        file.truncate(2**30)

    def sizes(**settings: object) -> list[int]:
        request = Request(first=days[0], last=days[-1])
        steps = look_ahead(
            workspace.settings(**settings), request, workspace.settings().today()
        ).steps
        return [len(step.dates) for step in steps if isinstance(step, Process)]

    assert sizes(memory_limit="1GiB") == [1, 1, 3]
    assert sizes(memory_limit="8GiB") == [5]
    # It is taken for four times its size once it is unpacked.
    large.rename(large.with_name("accounts.csv.zst"))
    assert sizes(memory_limit="8GiB") == [1, 1, 3]
    assert sizes(memory_limit="64GiB", backfill_days_per_run=2) == [2, 2, 1]


def test_a_day_that_failed_while_those_after_it_were_half_built_is_tried_again() -> None:
    days = DAYS[:4]
    tried = []

    def run(first: dt.date, last: dt.date) -> RunReport:
        tried.append(first)
        # The second day fails until the last one is complete; the third one always does.
        is_third = first == days[2]
        fails = first != last or is_third or (first == days[1] and len(tried) < 6)
        return RunReport("id", "failed" if fails else "success", f"because of {first}")

    campaign = Campaign(run, lambda _: pytest.fail("nothing is to be published again"))
    report = campaign.carry_out(Outlook([Process(tuple(days))], {}, {}))

    assert [day.outcome for day in report.days] == ["success", "success", "failed", "success"]
    # All, halves, each; then what had failed, once.
    assert tried == [
        *(days[0], days[0], days[0], days[1]),
        *(days[2], days[2], days[3], days[1], days[2]),
    ]


def test_a_day_that_a_stopped_run_has_built_counts_as_processed() -> None:
    before, held = DAYS[:2]

    def run(first: dt.date, last: dt.date) -> RunReport:
        if first != last:
            return RunReport("id", "held", "it moved", stopped_by={held: "it moved"})
        return RunReport("id", "success", "", left_alone={first: "unchanged"})

    campaign = Campaign(run, lambda _: pytest.fail("nothing is to be published again"))
    report = campaign.carry_out(Outlook([Process((before, held))], {}, {}))

    assert [day.outcome for day in report.days] == ["success", "held"]
