"""Runs, checks, sensors and daemons in Dagster's storage, as plain records."""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

import dagster as dg

from lending_club_pipeline.defs.run_records import RunError, error_of, partitions_of
from lending_club_pipeline.operating.conditions import REMEMBERED
from lending_club_pipeline.operating.facts import CheckState, FinishedRun, WatcherState

_FINISHED: Final = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
]
# Dagster's documented tag of a failed run that it will retry.
_WILL_RETRY: Final = "dagster/will_retry"
_OF_FAILURES: Final = {dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE}
# A message is our own line, or a line of a library of any length.
_MOST_CHARACTERS: Final = 1000
_UNKNOWN: Final = RunError("The run failed without a reason.")


def finished_runs(instance: dg.DagsterInstance, now: dt.datetime) -> list[FinishedRun]:
    """Read the newest finished run of each job and date, of the last days.

    Args:
        instance: Dagster's instance.
        now: the current time.
    """
    records = instance.get_run_records(
        dg.RunsFilter(statuses=_FINISHED, updated_after=now - REMEMBERED)
    )
    newest: dict[tuple[str, dt.date | None], dg.RunRecord] = {}
    errors: dict[str, RunError] = {}
    for record in sorted(records, key=_ended_at):
        run = record.dagster_run
        if run.tags.get(_WILL_RETRY) == "true":
            continue
        dates: list[dt.date | None] = [*partitions_of(run)] or [None]
        if not run.is_success:
            error = errors[run.run_id] = _error_of_run(instance, run.run_id)
            # The other dates of the run did not fail: they wait for a run without the failing ones.
            dates = [it for it in dates if it in error.stopped_by or not error.stopped_by]
        for date in dates:
            newest[run.job_name, date] = record
    return [_finished(key, record, errors) for key, record in newest.items()]


def _finished(
    key: tuple[str, dt.date | None], record: dg.RunRecord, errors: Mapping[str, RunError]
) -> FinishedRun:
    (job, date), run_id = key, record.dagster_run.run_id
    error = errors.get(run_id)
    if error is None:
        return FinishedRun(job, date, run_id, "success", "", _ended_at(record))
    message = error.message if date is None else error.stopped_by.get(date, error.message)
    shown = message[:_MOST_CHARACTERS]
    return FinishedRun(job, date, run_id, error.outcome, shown, _ended_at(record))


def _ended_at(record: dg.RunRecord) -> dt.datetime:
    if record.end_time is None:
        return record.update_timestamp
    return dt.datetime.fromtimestamp(record.end_time, dt.UTC)


def _error_of_run(instance: dg.DagsterInstance, run_id: str) -> RunError:
    found = instance.get_records_for_run(run_id, of_type=_OF_FAILURES).records
    events = (it.event_log_entry.dagster_event for it in found)
    errors = (error_of(event) for event in events if event is not None)
    return next((error for error in errors if error is not None), _UNKNOWN)


def check_states(
    instance: dg.DagsterInstance, keys: Collection[dg.AssetCheckKey]
) -> Iterator[CheckState]:
    """Read the last result of each check.

    A run that is under way, or that failed before a check, has planned the check without evaluating
    it: then the earlier result still counts.

    Args:
        instance: Dagster's instance.
        keys: the checks.
    """
    records = instance.event_log_storage.get_asset_check_summary_records(list(keys))
    for key, summary in records.items():
        record = summary.last_completed_check_execution_record
        entry = None if record is None else record.event
        event = None if entry is None else entry.dagster_event
        if event is None or event.event_type != dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            continue
        found = event.asset_check_evaluation_data
        rows = found.metadata.get("failing_rows")
        yield CheckState(
            key.asset_key.to_user_string(),
            key.name,
            found.passed,
            found.severity == dg.AssetCheckSeverity.ERROR,
            found.description or "",
            "" if entry is None else entry.run_id,
            rows.value if rows is not None and isinstance(rows.value, int) else None,
        )


def watcher_states(
    instance: dg.DagsterInstance, intervals: Mapping[str, dt.timedelta] | None = None
) -> Iterator[WatcherState]:
    """Read the state of the sensors and schedules that are switched on.

    Args:
        instance: Dagster's instance.
        intervals: time between two looks, by name of the sensor.
    """
    newest: dict[str, WatcherState] = {}
    for state in instance.all_instigator_state():
        if not state.is_running:
            continue
        tick = next(
            iter(instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1)), None
        )
        looked_at = None if tick is None else dt.datetime.fromtimestamp(tick.timestamp, dt.UTC)
        error = "" if tick is None or tick.error is None else _one_line(tick.error.message)
        known = newest.get(state.name)
        # A sensor that was moved to another module leaves an old state, which does not count.
        if known is None or _or_never(known.looked_at) < _or_never(looked_at):
            interval = (intervals or {}).get(state.name)
            newest[state.name] = WatcherState(state.name, error, looked_at, interval)
    yield from newest.values()


def _or_never(moment: dt.datetime | None) -> dt.datetime:
    return moment or dt.datetime.min.replace(tzinfo=dt.UTC)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_MOST_CHARACTERS]


def daemon_heartbeats(instance: dg.DagsterInstance) -> dict[str, dt.datetime]:
    """Read when each of Dagster's daemons gave its last sign of life."""
    statuses = instance.get_daemon_statuses()
    return {
        name: dt.datetime.fromtimestamp(status.last_heartbeat.timestamp, dt.UTC)
        for name, status in statuses.items()
        if status.last_heartbeat is not None
    }


def processed_dates(runs: Iterable[FinishedRun], job: str) -> set[dt.date]:
    """Return the dates whose newest finished run of a job succeeded."""
    return {
        run.as_of_date
        for run in runs
        if run.job == job and run.outcome == "success" and run.as_of_date is not None
    }
