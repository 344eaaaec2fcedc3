"""The sensors that start runs: of new deliveries, and of days that a stopped run left out."""

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import dagster as dg

from lending_club_pipeline.config import clock
from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.errors import WarehouseError, WarehouseLockedError
from lending_club_pipeline.defs.abandoned_runs import UNDER_WAY
from lending_club_pipeline.defs.intents import FORCE_TAG, PLANNED_TAG, intent_of
from lending_club_pipeline.defs.jobs import (
    JOB_NAME,
    PUBLISH_JOB_NAME,
    process_delivery,
    publish_outputs,
)
from lending_club_pipeline.defs.run_records import (
    BACKFILL_TAG,
    error_of,
    partition_range_of,
    partition_tags,
    partitions_of,
)
from lending_club_pipeline.ingest.deliveries.delivered_files import looks_like, text_bytes
from lending_club_pipeline.ingest.deliveries.delivery_folders import Delivery
from lending_club_pipeline.ingest.deliveries.watch import Watch, look
from lending_club_pipeline.runs.day_states import DayState, read_days
from lending_club_pipeline.runs.plan import (
    FoundDelivery,
    Process,
    Refuse,
    Step,
    is_published,
    newest_publishable,
    parts_without,
    plan,
)
from lending_club_pipeline.runs.survey import policy_of
from lending_club_pipeline.storage.inputs import Readable, watched_inputs
from lending_club_pipeline.warehouse import choose_warehouse

_HELD: Final = "it is held: see its page beside the outputs, and `lending-club approve`"
# Refusals that are repeated on each tick.
_MOST_KEPT: Final = 20
# Tag on runs of the sensor: the files of their dates.
DELIVERY_TAG: Final = "lending_club/delivery"
_APPROVAL_SECONDS: Final = 600.0
_FIRST_PAUSE_SECONDS: Final = 60.0
_LONGEST_PAUSE_SECONDS: Final = 3600.0
_UNFINISHED: Final = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    *UNDER_WAY,
]


def build_delivery_sensor(settings: DataPlatformConfig) -> dg.SensorDefinition:
    """Return the sensor for new deliveries. `DELIVERY_SENSOR` sets its initial status."""
    is_on = settings.deliveries.sensor == "running"
    inputs = watched_inputs(settings)

    @dg.sensor(
        jobs=[process_delivery, publish_outputs],
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING if is_on else dg.DefaultSensorStatus.STOPPED,
    )
    def new_delivery_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        """Process each delivery that is new, changed, or was stopped by a fault.

        It compares the inputs with the states in the warehouse. It takes a delivery when its files
        are complete and did not change for `SENSOR_SETTLE_SECONDS`. A failed run is retried after
        a minute, two, four, up to an hour; days that failed together are retried one by one. A
        refused delivery waits for other files, a held one for an approval. `DELIVERY_SENSOR` sets
        the initial status.
        """
        return _evaluate(settings, inputs(), context)

    return new_delivery_sensor


def _evaluate(
    settings: DataPlatformConfig, inputs: Readable, context: dg.SensorEvaluationContext
) -> dg.SensorResult:
    now = clock.now()
    watch = look(
        inputs,
        settings.days.first_as_of_date,
        settings.today(),
        now,
        settings.deliveries.settle_seconds,
    )
    settled = _Settled.read(context.cursor)
    # Look for approvals only from time to time, because a query keeps a warehouse awake.
    with_held = f"{watch.digest} {now.timestamp() // _APPROVAL_SECONDS:.0f}"
    if settled.digest in (watch.digest, with_held):
        return _result(context, settled, [], (*watch.waiting, *settled.waiting))
    try:
        days = _known_days(settings)
    except WarehouseLockedError:
        return _result(context, settled, [], ("a run is going on", *watch.waiting))
    steps = _planned(settings, _found(inputs, watch, days), days)
    refused = tuple(f"{it.as_of_date}: {it.message}" for it in steps if isinstance(it, Refuse))
    todo = [step.dates for step in steps if isinstance(step, Process)]
    serves = settings.engine.database_type == "databricks"
    is_settled = not todo and is_published(days, serves_readers=serves)
    requests = [] if is_settled else list(_requests(context.instance, todo, days, watch, now))
    if is_settled:
        # No query of the warehouse is needed until the inputs change.
        is_held = any(isinstance(it, Refuse) and it.message == _HELD for it in steps)
        settled = _Settled(with_held if is_held else watch.digest, refused[:_MOST_KEPT])
    under_way = () if requests or is_settled else ("runs are under way, or failed and wait",)
    return _result(context, settled, requests, (*under_way, *watch.waiting, *refused))


@dataclass(frozen=True)
class _Settled:
    """The cursor of the sensor: inputs that need no run, and why some of them wait.

    Attributes:
        digest: digest of the inputs.
        waiting: refused deliveries, with the reason.
    """

    digest: str = ""
    waiting: tuple[str, ...] = ()

    @classmethod
    def read(cls, cursor: str | None) -> "_Settled":
        digest, *waiting = (cursor or "").splitlines() or [""]
        return cls(digest, tuple(waiting))

    def written(self) -> str:
        return "\n".join((self.digest, *self.waiting))


def _result(
    context: dg.SensorEvaluationContext,
    settled: _Settled,
    requests: Sequence[dg.RunRequest],
    waiting: Sequence[str],
) -> dg.SensorResult:
    """Return the result of a tick, with the reason of each delivery that waits."""
    if requests:
        for reason in waiting:
            context.log.info(f"Waiting: {reason}")
        return dg.SensorResult(run_requests=requests, cursor=settled.written())
    said = "; ".join(f"waiting: {reason}" for reason in waiting)
    why = said or "No delivery is new or changed."
    return dg.SensorResult(skip_reason=why, cursor=settled.written())


def _planned(
    settings: DataPlatformConfig,
    found: Mapping[dt.date, FoundDelivery],
    days: Mapping[dt.date, DayState],
) -> list[Step]:
    policy = policy_of(settings)
    # Do not process years again, unasked, because rates or the version changed.
    known = {date: replace(it, transformation=policy.transformation) for date, it in days.items()}
    return plan(found, found, known, policy)


def _known_days(settings: DataPlatformConfig) -> Mapping[dt.date, DayState]:
    warehouse = choose_warehouse(settings)
    try:
        with warehouse.session(read_only=True):
            return read_days(warehouse)
    except WarehouseLockedError:
        raise
    except WarehouseError:
        # There is no warehouse yet, or a run will report its problem.
        return {}


def _found(
    inputs: Readable, watch: Watch, days: Mapping[dt.date, DayState]
) -> dict[dt.date, FoundDelivery]:
    """Describe the deliveries for the plan; refused or held ones wait."""
    found = {}
    for date, delivery in watch.deliveries.items():
        state, identity = days.get(date, DayState(date)), watch.identities[date]
        others = [it for day, it in days.items() if day != date]
        if delivery.folder == inputs and any(_is_of(delivery, identity, it) for it in others):
            # Undated files may stay on the following days.
            continue
        is_same = looks_like(delivery, state.files)
        is_refused = bool(state.refused) and state.refused_files == identity
        refused = state.refused if is_refused else _HELD if state.is_held and is_same else ""
        found[date] = FoundDelivery(date, text_bytes(delivery), is_same, refused)
    return found


def _is_of(delivery: Delivery, identity: str, state: DayState) -> bool:
    """Whether undated files were taken, or refused, as the delivery of a date."""
    return identity == state.refused_files or looks_like(delivery, state.files)


def _requests(
    instance: dg.DagsterInstance,
    todo: Sequence[Sequence[dt.date]],
    days: Mapping[dt.date, DayState],
    watch: Watch,
    now: dt.datetime,
) -> Iterator[dg.RunRequest]:
    """Request the runs of a plan; if it processes nothing, the publication."""
    runs = [
        run
        for job in (JOB_NAME, PUBLISH_JOB_NAME)
        for run in instance.get_runs(dg.RunsFilter(job_name=job, statuses=_UNFINISHED))
    ]
    under_way = {date for run in runs for date in partitions_of(run)}
    for dates in todo:
        if not under_way & set(dates):
            yield from _tries(instance, JOB_NAME, dates, watch, now)
    newest = newest_publishable(days)
    if not todo and not runs and newest is not None:
        # A run was killed, or failed, after its build.
        yield from _tries(instance, PUBLISH_JOB_NAME, [newest.as_of_date], watch, now)


def _tries(
    instance: dg.DagsterInstance,
    job: str,
    dates: Sequence[dt.date],
    watch: Watch,
    now: dt.datetime,
) -> Iterator[dg.RunRequest]:
    """Request a run, unless a run of the same files has just failed."""
    listed = "".join(f"{date}{watch.identities.get(date, '')}\n" for date in dates)
    key = hashlib.sha256(f"{job}\n{listed}".encode()).hexdigest()[:16]
    tried = instance.get_run_records(dg.RunsFilter(tags={DELIVERY_TAG: key}))
    if tried and len(dates) > 1:
        # A single date may have failed the whole run.
        middle = len(dates) // 2
        for part in (dates[:middle], dates[middle:]):
            yield from _tries(instance, job, part, watch, now)
        return
    if tried:
        pause = min(_FIRST_PAUSE_SECONDS * 2 ** (len(tried) - 1), _LONGEST_PAUSE_SECONDS)
        ended = max(record.end_time or record.create_timestamp.timestamp() for record in tried)
        if now.timestamp() - ended < pause:
            return
    yield dg.RunRequest(
        run_key=f"{key} {len(tried) + 1}",
        job_name=job,
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
