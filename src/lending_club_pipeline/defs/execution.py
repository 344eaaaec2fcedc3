"""Run a job in this process as a real Dagster run: recorded, with logs, checks and metadata."""

import datetime as dt
import signal
import uuid
from collections.abc import Callable, Collection, Mapping
from typing import Final, cast

import dagster as dg

from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.errors import ConfigurationError, PipelineError
from lending_club_pipeline.contract.locations import Location, parse_location
from lending_club_pipeline.defs.abandoned_runs import close_abandoned_runs, process_tags
from lending_club_pipeline.defs.ingest.assets import LEFT_ALONE
from lending_club_pipeline.defs.instance import (
    ensure_dagster_home,
    keeping_open,
    opened_history,
)
from lending_club_pipeline.defs.intents import FORCE_TAG, NAMED_TAG, PLANNED_TAG
from lending_club_pipeline.defs.jobs import JOB_NAME, PUBLISH_JOB_NAME
from lending_club_pipeline.defs.operating.attribution import USER_TAG
from lending_club_pipeline.defs.progress import PROGRESS, following
from lending_club_pipeline.defs.project import build_definitions
from lending_club_pipeline.defs.run_records import error_of, partition_tags
from lending_club_pipeline.files.processes import noticing_signals
from lending_club_pipeline.ingest.deliveries.discovery import refuse_future
from lending_club_pipeline.operating.audit import login
from lending_club_pipeline.reconcile.ledger import DeliveryLedger, read_ledgers
from lending_club_pipeline.runs.campaigns import Campaign
from lending_club_pipeline.runs.day_states import read_days
from lending_club_pipeline.runs.outlook import Request, look_ahead
from lending_club_pipeline.runs.plan import WhySkipped
from lending_club_pipeline.runs.reports import CommandReport, RunReport
from lending_club_pipeline.warehouse import choose_warehouse

_STOPPING: Final = {signal.SIGINT, signal.SIGTERM}


def carry_out(
    settings: DataPlatformConfig, request: Request, on_message: Callable[[str], None]
) -> CommandReport:
    """Plan a request and carry the plan out, each step as a Dagster run in this process.

    Args:
        settings: the project's settings.
        request: the requested dates.
        on_message: called with a text about the current step.

    Raises:
        PipelineError: there is nothing to process, or a run could not even begin.
        KeyboardInterrupt: the process was told to stop; the run is recorded as failed.
    """
    outlook = look_ahead(settings, request, settings.today())
    asked = {PLANNED_TAG: True, FORCE_TAG: request.force, NAMED_TAG: request.as_of is not None}
    tags = {tag: "true" for tag, is_so in asked.items() if is_so}
    campaign = Campaign(
        lambda first, last: process_days(settings, (first, last), on_message, tags),
        lambda date: run_job(settings, PUBLISH_JOB_NAME, (date, date), on_message, tags),
    )
    return campaign.carry_out(outlook)


def process_days(
    settings: DataPlatformConfig,
    days: tuple[dt.date, dt.date],
    on_message: Callable[[str], None],
    tags: Mapping[str, str],
) -> RunReport:
    """Process the deliveries from a first day through a last one in one run.

    Args:
        settings: the project's settings.
        days: first and last business date.
        on_message: called with a text about the current step.
        tags: tags of the run, which hold the request.

    Raises:
        PipelineError: the run could not even begin.
        KeyboardInterrupt: the process was told to stop; the run is recorded as failed.
    """
    first = settings.days.first_as_of_date
    if days[0] < first:
        raise ConfigurationError(
            f"The as-of date {days[0]} lies before FIRST_AS_OF_DATE={first}. "
            "Set that to an earlier date if such deliveries are to be processed."
        )
    refuse_future(days[1], settings.today(), settings.deliveries.input_path)
    return run_job(settings, JOB_NAME, days, on_message, tags)


def run_job(
    settings: DataPlatformConfig,
    job: str,
    partitions: tuple[dt.date, dt.date],
    on_message: Callable[[str], None],
    tags: Mapping[str, str],
) -> RunReport:
    """Run a job in this process as a real Dagster run.

    Args:
        settings: the project's settings.
        job: name of the job.
        partitions: first and last partition: a day, or the first day of a month.
        on_message: called with a text about the current step.
        tags: tags of the run.

    Raises:
        PipelineError: the run could not even begin.
        KeyboardInterrupt: the process was told to stop; the run is recorded as failed.
    """
    home = ensure_dagster_home(settings)
    definitions = build_definitions(settings)
    run_id = str(uuid.uuid4())
    with (
        following(on_message),
        noticing_signals() as received,
        opened_history(settings) as instance,
        keeping_open(home, run_id),
    ):
        close_abandoned_runs(instance)
        result = definitions.resolve_job_def(job).execute_in_process(
            run_config={"loggers": {PROGRESS: {}}},
            instance=instance,
            raise_on_error=False,
            run_id=run_id,
            tags={
                **process_tags(),
                USER_TAG: login(),
                **tags,
                **partition_tags(partitions),
            },
        )
        if not result.success and received() & _STOPPING:
            raise KeyboardInterrupt
    return _report(result, settings)


def _report(result: dg.ExecuteInProcessResult, settings: DataPlatformConfig) -> RunReport:
    left_alone = _left_alone(result)
    if result.success:
        ledgers = _ledgers(result.run_id, settings, left_alone)
        written, published = _published(result)
        return RunReport(
            result.run_id, "success", "", ledgers, written, published, left_alone=left_alone
        )
    errors = [error for event in result.all_events if (error := error_of(event)) is not None]
    if not errors:
        return RunReport(result.run_id, "failed", "The run failed without a reason.")
    made = {event.asset_key for event in result.get_asset_materialization_events()}
    # Otherwise there is no table, or it holds results of earlier runs.
    has_ledger = dg.AssetKey("delivery_ledger") in made
    ledgers = _ledgers(result.run_id, settings, left_alone) if has_ledger else {}
    return RunReport(
        result.run_id,
        errors[0].outcome,
        errors[0].message,
        stopped_by=errors[0].stopped_by,
        open_ledgers={date: it for date, it in ledgers.items() if not it.is_closed},
    )


def _left_alone(result: dg.ExecuteInProcessResult) -> dict[dt.date, WhySkipped]:
    """Return the dates that a run skipped because another run had processed them meanwhile."""
    found: dict[dt.date, WhySkipped] = {}
    for event in result.get_asset_materialization_events():
        why = event.materialization.metadata.get(LEFT_ALONE)
        if why is not None and event.partition and event.asset_key == dg.AssetKey("accounts_raw"):
            found[dt.date.fromisoformat(event.partition)] = cast("WhySkipped", why.value)
    return found


def _ledgers(
    run_id: str, settings: DataPlatformConfig, left_alone: Collection[dt.date]
) -> dict[dt.date, DeliveryLedger]:
    """Read the ledgers of the dates that a run has built or skipped."""
    warehouse = choose_warehouse(settings)
    try:
        with warehouse.session(read_only=True, run_id=run_id):
            days = read_days(warehouse).values()
            built = [it.as_of_date for it in days if it.run_id == run_id and it.build_ended_at]
            return read_ledgers(warehouse, [*built, *left_alone])
    except PipelineError:
        # There is no database, or the next run holds it already: the report suffices.
        return {}


def _published(result: dg.ExecuteInProcessResult) -> tuple[tuple[Location, ...], dt.date | None]:
    """Return the published files and the published date."""
    paths: dict[Location, dt.date] = {}
    for event in result.get_asset_materialization_events():
        metadata = event.materialization.metadata
        if "published" in metadata:
            date = dt.date.fromisoformat(str(metadata["as_of_date"].value))
            paths[parse_location(str(metadata["published"].value))] = date
    return tuple(paths), next(iter(paths.values()), None)
