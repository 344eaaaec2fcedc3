"""Start runs of the other days when single deliveries have stopped a run of several days."""

from collections.abc import Iterator

import dagster as dg

from lending_club_pipeline.defs.intents import FORCE_TAG, PLANNED_TAG, intent_of
from lending_club_pipeline.defs.jobs import process_delivery
from lending_club_pipeline.defs.run_records import (
    BACKFILL_TAG,
    error_of,
    partition_range_of,
    partition_tags,
    partitions_of,
)
from lending_club_pipeline.runs.plan import parts_without


@dg.run_failure_sensor(
    name="days_beside_refused_ones",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    request_job=process_delivery,
)
def days_beside_refused_ones(
    context: dg.RunFailureSensorContext,
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Run the other days of a run of several days that single deliveries have stopped.

    `lending-club run --from --to` does so by itself. Shipped running: it completes a request.
    """
    run = context.dagster_run
    if partition_range_of(run) is None or PLANNED_TAG in run.tags:
        yield dg.SkipReason("It was not a run of several days, or it came from the command line.")
        return
    errors = [error_of(event) for event in context.get_step_failure_events()]
    stopped_by = {date for error in errors if error is not None for date in error.stopped_by}
    parts = parts_without(partitions_of(run), stopped_by) if stopped_by else []
    kept = {BACKFILL_TAG: run.tags[BACKFILL_TAG]} if BACKFILL_TAG in run.tags else {}
    if intent_of(run.tags).force:
        kept[FORCE_TAG] = "true"
    for part in parts:
        yield dg.RunRequest(
            run_key=f"{run.run_id} {part[0]}",
            asset_selection=None if run.asset_selection is None else list(run.asset_selection),
            tags=partition_tags((part[0], part[-1])) | kept,
        )
    if not parts:
        yield dg.SkipReason("No single delivery stopped it, or it had no other days.")
