"""A backfill of Dagster's page goes on without the deliveries that are refused."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value

from lending_club_pipeline.config.settings import load_settings
from lending_club_pipeline.defs.instance import ensure_dagster_home, open_instance
from lending_club_pipeline.defs.intents import FORCE_TAG, PLANNED_TAG
from lending_club_pipeline.defs.partitions import daily_partitions
from lending_club_pipeline.defs.project import build_definitions
from lending_club_pipeline.defs.run_records import partition_tags
from lending_club_pipeline.defs.sensors import days_beside_refused_ones
from tests.workspaces import Workspace

DAYS = [dt.date(2026, 3, 10) + dt.timedelta(days=n) for n in range(5)]
BROKEN, MISSING = DAYS[1], DAYS[3]
BACKFILL = {"dagster/backfill": "abcdefgh"}


@dataclass
class Page:
    """Dagster as its backfill page uses it: an instance, the job and the sensor."""

    workspace: Workspace
    instance: dg.DagsterInstance
    definitions: dg.Definitions

    @property
    def job(self) -> dg.JobDefinition:
        return self.definitions.resolve_job_def("process_delivery")

    def run(self, tags: dict[str, str]) -> dg.ExecuteInProcessResult:
        return self.job.execute_in_process(
            instance=self.instance, tags={**tags, **BACKFILL}, raise_on_error=False
        )

    def asked_after(
        self, ended: dg.ExecuteInProcessResult, tags: dict[str, str] | None = None
    ) -> list[dg.RunRequest]:
        """What the sensor asks for after a run, or after one like it with other tags."""
        run = ended.dagster_run
        if tags is not None:
            run = dg.DagsterRun(run.job_name, run_id=run.run_id, tags=tags)
        context = dg.build_run_status_sensor_context(
            sensor_name="days_beside_refused_ones",
            dagster_event=ended.get_run_failure_event(),
            dagster_instance=self.instance,
            dagster_run=run,
        )
        found: Any = days_beside_refused_ones(context.for_run_failure())
        return [it for it in found if isinstance(it, dg.RunRequest)]


@pytest.fixture
def page(workspace: Workspace) -> Iterator[Page]:
    for day in DAYS:
        if day != MISSING:
            workspace.deliver("1,Ada,Yes\n", f"A,1,{day.day},Savings\n", day)
    workspace.deliver("1,Ada,Yes\n", b"a;b\n1;2\n", BROKEN)
    definitions = build_definitions(workspace.settings())
    with open_instance(
        ensure_dagster_home(load_settings({"dagster_home": workspace.root / "dagster"}))
    ) as instance:
        yield Page(workspace, instance, definitions)


@pytest.mark.exhaustive
def test_only_the_refused_day_stays_red_in_the_end(page: Page) -> None:
    refused = page.run(partition_tags((DAYS[0], DAYS[-1])))
    assert not refused.success

    asked = page.asked_after(refused)

    assert [it.tags for it in asked] == [
        partition_tags((DAYS[0], DAYS[0])) | BACKFILL,
        partition_tags((DAYS[2], DAYS[-1])) | BACKFILL,
    ]
    assert len({it.run_key for it in asked}) == 2
    assert all(page.run(dict(it.tags)).success for it in asked)
    partitions = daily_partitions(page.workspace.settings().days.first_as_of_date, "UTC")
    status = get_and_update_asset_status_cache_value(
        page.instance, dg.AssetKey("account_summary_daily"), partitions
    )
    assert status is not None
    failed = status.deserialize_failed_partition_subsets(partitions)
    assert set(failed.get_partition_keys()) == {BROKEN.isoformat()}
    published = (page.workspace.outputs / "account_summary.csv").read_text()
    assert published.splitlines()[1] == f"1,A,{DAYS[-1].day}.00,0.0150,0.21,14.21"


def test_a_run_that_nobody_else_would_go_on_with_is_left_alone(page: Page) -> None:
    refused = page.run(partition_tags((DAYS[0], DAYS[2])))
    several = refused.dagster_run.tags
    assert len(page.asked_after(refused)) == 2

    assert page.asked_after(refused, {**several, PLANNED_TAG: "true"}) == []
    assert page.asked_after(refused, partition_tags((BROKEN, BROKEN))) == []


def test_a_backfill_that_was_started_from_assets_goes_on_with_the_same_assets(page: Page) -> None:
    raw = [dg.AssetKey(name) for name in ("accounts_raw", "customers_raw")]
    job = page.definitions.resolve_implicit_global_asset_job_def()
    refused = job.execute_in_process(
        instance=page.instance,
        asset_selection=raw,
        tags={**partition_tags((DAYS[0], DAYS[2])), **BACKFILL},
        raise_on_error=False,
    )
    assert refused.dagster_run.job_name != "process_delivery"

    asked = page.asked_after(refused)

    assert [it.tags for it in asked] == [
        partition_tags((day, day)) | BACKFILL for day in (DAYS[0], DAYS[2])
    ]
    assert all(set(it.asset_selection or ()) == set(raw) for it in asked)
    # So that only the refused day stays red.
    for it in asked:
        again = page.job.execute_in_process(
            instance=page.instance, asset_selection=it.asset_selection, tags=dict(it.tags)
        )
        assert again.success


def test_days_that_a_person_asked_for_are_built_again_without_the_refused_one(page: Page) -> None:
    refused = page.run(partition_tags((DAYS[0], DAYS[2])))
    by_hand = {tag: it for tag, it in refused.dagster_run.tags.items() if tag not in BACKFILL}

    asked = page.asked_after(refused, by_hand)

    assert [it.tags[FORCE_TAG] for it in asked] == ["true", "true"]


def test_a_run_of_refused_deliveries_alone_is_not_tried_again(page: Page) -> None:
    page.workspace.deliver("1,Ada,Yes\n", b"a;b\n1;2\n", DAYS[2])
    refused = page.run(partition_tags((BROKEN, DAYS[2])))

    assert not refused.success
    assert page.asked_after(refused) == []


@pytest.mark.exhaustive
def test_a_run_that_failed_for_another_reason_is_left_alone(page: Page) -> None:
    page.workspace.deliver("1,Ada,Yes\n", "A,1,1,Savings\n", BROKEN)
    page.workspace.outputs.write_text("a file where the folder should be")

    failed = page.run(partition_tags((DAYS[0], DAYS[2])))

    assert not failed.success
    assert page.asked_after(failed) == []
