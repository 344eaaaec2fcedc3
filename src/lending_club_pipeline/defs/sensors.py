"""What happens when a delivery arrives, and after a run that single deliveries have stopped."""

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import dagster as dg

from lending_club_pipeline.config import clock
from lending_club_pipeline.config.settings import DataPlatformConfig, load_settings
from lending_club_pipeline.contract.errors import WarehouseError, WarehouseLockedError
from lending_club_pipeline.defs.intents import PLANNED_TAG
from lending_club_pipeline.defs.jobs import JOB_NAME, process_delivery
from lending_club_pipeline.defs.run_records import (
    BACKFILL_TAG,
    error_of,
    partition_range_of,
    partition_tags,
    partitions_of,
)
from lending_club_pipeline.ingest.deliveries.delivered_files import looks_like, text_bytes
from lending_club_pipeline.ingest.deliveries.watch import Watch, look
from lending_club_pipeline.runs.day_states import DayState, read_days
from lending_club_pipeline.runs.plan import FoundDelivery, Process, parts_without, plan
from lending_club_pipeline.runs.survey import policy_of
from lending_club_pipeline.warehouse import choose_warehouse

# On runs of the sensor: which files of which dates they are about.
DELIVERY_TAG: Final = "lending_club/delivery"
_FIRST_PAUSE_SECONDS: Final = 60.0
_LONGEST_PAUSE_SECONDS: Final = 3600.0
_UNFINISHED: Final = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def build_delivery_sensor(*, is_on: bool) -> dg.SensorDefinition:
    """Return the sensor for new deliveries.

    Args:
        is_on: whether it runs before anybody has switched it.
    """
    status = dg.DefaultSensorStatus.RUNNING if is_on else dg.DefaultSensorStatus.STOPPED
    make = dg.sensor(job=process_delivery, minimum_interval_seconds=60, default_status=status)
    return make(new_delivery_sensor)


def new_delivery_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Process each delivery that is new, changed, or was stopped by a fault.

    What lies in the inputs is compared with what the warehouse says was processed. A delivery is
    taken when its files are whole and have been left alone for `SENSOR_SETTLE_SECONDS`. A run that
    failed is tried again, after a minute, two, four, up to an hour; a refused or held delivery
    waits for other files or an approval. `DELIVERY_SENSOR` says whether it begins running.
    """
    settings, now = load_settings(), clock.now()
    watch = look(
        settings.input_path,
        settings.first_as_of_date,
        settings.today(),
        now,
        settings.sensor_settle_seconds,
    )
    for reason in watch.waiting:
        context.log.info(f"Not taken: {reason}")
    if context.cursor == watch.digest:
        return _nothing("No delivery is new or changed.", watch, context.cursor)
    try:
        days = _known_days(settings)
    except WarehouseLockedError:
        return _nothing("A run is going on.", watch, context.cursor)
    policy = policy_of(settings)
    # Other rates or another version are no reason to process years again without being asked.
    known = {date: replace(it, transformation=policy.transformation) for date, it in days.items()}
    found = _found(settings.input_path, watch, days)
    steps = plan(watch.deliveries, found, known, policy)
    todo = [step.dates for step in steps if isinstance(step, Process)]
    instance = _instance_of(context)
    under_way = _dates_under_way(instance) if todo else set()
    requests: list[dg.RunRequest] = []
    for dates in todo:
        if not under_way & set(dates):
            requests += _requests(instance, dates, watch, now)
    # With all of them done, the warehouse need not be asked until something else lies there.
    cursor = context.cursor if todo else watch.digest
    if requests:
        return dg.SensorResult(run_requests=requests, cursor=cursor)
    why = "Runs are under way, or failed and wait." if todo else "No delivery is new or changed."
    return _nothing(why, watch, cursor)


def _nothing(why: str, watch: Watch, cursor: str | None) -> dg.SensorResult:
    said = "; ".join((why, *(f"Not taken: {reason}" for reason in watch.waiting)))
    return dg.SensorResult(skip_reason=said, cursor=cursor)


def _known_days(settings: DataPlatformConfig) -> Mapping[dt.date, DayState]:
    warehouse = choose_warehouse(settings)
    try:
        with warehouse.session(read_only=True):
            return read_days(warehouse)
    except WarehouseLockedError:
        raise
    except WarehouseError:
        # There is none yet, or a run says what is wrong with it.
        return {}


def _found(
    inputs: Path, watch: Watch, days: Mapping[dt.date, DayState]
) -> dict[dt.date, FoundDelivery]:
    """Describe what may be taken for the plan; what is refused or held already waits."""
    found = {}
    for date, delivery in watch.deliveries.items():
        is_undated = delivery.folder == inputs
        if is_undated and any(looks_like(delivery, state.files) for state in days.values()):
            # Undated files stay where they are on the days after.
            continue
        state = days.get(date, DayState(date))
        is_same = looks_like(delivery, state.files)
        is_refused = bool(state.refused) and state.refused_files == watch.identities[date]
        refused = state.refused if is_refused else "held" if state.is_held and is_same else ""
        found[date] = FoundDelivery(date, text_bytes(delivery), is_same, refused)
    return found


def _instance_of(context: dg.SensorEvaluationContext) -> dg.DagsterInstance | None:
    """Return the run history, or None where a sensor is evaluated without one, as tests may."""
    try:
        return context.instance
    except dg.DagsterInvariantViolationError:
        return None


def _dates_under_way(instance: dg.DagsterInstance | None) -> set[dt.date]:
    if instance is None:
        return set()
    runs = instance.get_runs(dg.RunsFilter(job_name=JOB_NAME, statuses=_UNFINISHED))
    return {date for run in runs for date in partitions_of(run)}


def _requests(
    instance: dg.DagsterInstance | None, dates: Sequence[dt.date], watch: Watch, now: dt.datetime
) -> Iterator[dg.RunRequest]:
    """Ask for a run of neighbouring dates, unless one of the same files failed a moment ago."""
    listed = "".join(f"{date}{watch.identities[date]}\n" for date in dates)
    key = hashlib.sha256(listed.encode()).hexdigest()[:16]
    same = dg.RunsFilter(tags={DELIVERY_TAG: key})
    tried = [] if instance is None else instance.get_run_records(same)
    if tried:
        pause = min(_FIRST_PAUSE_SECONDS * 2 ** (len(tried) - 1), _LONGEST_PAUSE_SECONDS)
        ended = max(record.end_time or record.create_timestamp.timestamp() for record in tried)
        if now.timestamp() - ended < pause:
            return
    yield dg.RunRequest(
        run_key=f"{key} {len(tried) + 1}",
        tags={DELIVERY_TAG: key, **partition_tags((dates[0], dates[-1]))},
    )


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

    `lending-club run --from --to` does so by itself. Shipped running: it does what was asked for.
    """
    run = context.dagster_run
    days = partition_range_of(run)
    if days is None or PLANNED_TAG in run.tags:
        yield dg.SkipReason("It was no run of several days, or one of the command line.")
        return
    errors = [error_of(event) for event in context.get_step_failure_events()]
    stopped_by = {date for error in errors if error is not None for date in error.stopped_by}
    every = [days[0] + dt.timedelta(n) for n in range((days[1] - days[0]).days + 1)]
    parts = parts_without(every, stopped_by) if stopped_by else []
    backfill = {tag: run.tags[tag] for tag in (BACKFILL_TAG,) if tag in run.tags}
    for part in parts:
        yield dg.RunRequest(
            run_key=f"{run.run_id} {part[0]}",
            asset_selection=None if run.asset_selection is None else list(run.asset_selection),
            tags=partition_tags((part[0], part[-1])) | backfill,
        )
    if not parts:
        yield dg.SkipReason("No single delivery stopped it, or nothing else was left.")
