"""A backfill that Dagster's page started goes on without the deliveries that are refused."""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence

import dagster as dg
from dagster._core.storage.tags import BACKFILL_ID_TAG

from lending_club_pipeline.config.settings import DataPlatformConfig, load_settings
from lending_club_pipeline.contract.errors import RefusedDeliveryError
from lending_club_pipeline.defs.jobs import process_delivery
from lending_club_pipeline.defs.run_records import (
    PID_TAG,
    error_of,
    partition_range_of,
    partition_tags,
)
from lending_club_pipeline.ingest.deliveries.discovery import dates_with_delivery, today_utc
from lending_club_pipeline.runs.chunks import neighbours
from lending_club_pipeline.runs.finished_days import is_landed

_DAY = dt.timedelta(days=1)


@dg.run_failure_sensor(
    name="days_beside_refused_ones",
    monitored_jobs=[process_delivery],
    request_job=process_delivery,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def days_beside_refused_ones(
    context: dg.RunFailureSensorContext,
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Run the other days of a run of several days that was refused because of some of them.

    `lending-club run --from --to` does so by itself. Shipped running: it does what was asked for.
    """
    run = context.dagster_run
    days = partition_range_of(run)
    if days is None or PID_TAG in run.tags:
        yield dg.SkipReason("It was no run of several days, or one of the command line.")
        return
    if not _is_refused(context):
        yield dg.SkipReason("It failed for another reason than a refused delivery.")
        return
    backfill = {tag: run.tags[tag] for tag in (BACKFILL_ID_TAG,) if tag in run.tags}
    parts = accepted_parts(load_settings(), *days)
    for part in parts:
        yield dg.RunRequest(
            run_key=f"{run.run_id} {part[0]}",
            tags=partition_tags((part[0], part[-1])) | backfill,
        )
    if not parts:
        yield dg.SkipReason("Nothing but the refused deliveries was left.")


def accepted_parts(
    settings: DataPlatformConfig, first: dt.date, last: dt.date
) -> list[Sequence[dt.date]]:
    """Group the days of a refused run into runs of neighbours without the refused ones.

    Days without a delivery stay with their neighbours, as in any run of several days.

    Args:
        settings: the project's settings.
        first: first business date of the run.
        last: last business date of the run.
    """
    delivered = set(dates_with_delivery(settings.input_path, first, last, today_utc()))
    refused = {date for date in delivered if not is_landed(settings, date)}
    if not refused:
        # It was withdrawn since: the same run again is for those to ask for who withdrew it.
        return []
    days = [first + n * _DAY for n in range((last - first).days + 1)]
    parts = neighbours(days, len(days), apart=refused)
    return [part for part in parts if _is_worth_a_run(part, delivered - refused)]


def _is_worth_a_run(part: Sequence[dt.date], accepted: Collection[dt.date]) -> bool:
    return any(date in accepted for date in part)


def _is_refused(context: dg.RunFailureSensorContext) -> bool:
    errors = [error_of(event) for event in context.get_step_failure_events()]
    return any(
        error is not None and error.cls_name == RefusedDeliveryError.__name__ for error in errors
    )
