"""Runs whose process is gone: a killed command, a vanished container, a lost machine.

The tags of a run name its process, and hold the time of its last sign of life. The next command and
a sensor of the daemon mark the runs whose process is gone as failed. Otherwise the queue would wait
for them.
"""

import datetime as dt
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import dagster as dg

from lending_club_pipeline.config import clock
from lending_club_pipeline.files.processes import is_running, this_machine

PROCESS_TAG: Final = "lending_club/process"
MACHINE_TAG: Final = "lending_club/machine"
ALIVE_TAG: Final = "lending_club/alive_at"
_SIGN_OF_LIFE_SECONDS: Final = 10.0
# Three missing signs of life.
_SILENT_SECONDS: Final = 45.0
# Long enough for a sign of life: a machine with a wrong clock only looks silent.
_SECOND_LOOK_SECONDS: Final = 15.0
_NUMBER_REUSED_SECONDS: Final = 3600.0
# If a run was killed before its first sign of life, its last event is at least this old.
_NEVER_SEEN_SECONDS: Final = 180.0
UNDER_WAY: Final = (
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.CANCELING,
)


def process_tags() -> dict[str, str]:
    """Return the tags that name the process of a run."""
    return {PROCESS_TAG: str(os.getpid()), MACHINE_TAG: this_machine()}


@contextmanager
def signs_of_life(instance: dg.DagsterInstance | None, run_id: str) -> Iterator[None]:
    """Record the process of a run in Dagster, and regularly that it is alive.

    Args:
        instance: Dagster's instance; None without a run history.
        run_id: Dagster's id of the run.
    """
    if instance is None or not instance.has_run(run_id):
        yield
        return
    instance.add_run_tags(run_id, {**process_tags(), ALIVE_TAG: _now()})
    ended = threading.Event()

    def record() -> None:
        while not ended.wait(_SIGN_OF_LIFE_SECONDS):
            # Do not end a run because the history cannot be written for a moment.
            with suppress(Exception):
                instance.add_run_tags(run_id, {ALIVE_TAG: _now()})

    thread = threading.Thread(target=record, name="signs of life", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def close_abandoned_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark runs as failed whose process is gone; return their ids."""
    found = _look(instance)
    if any(_is_elsewhere(run) for run, _ in found):
        time.sleep(_SECOND_LOOK_SECONDS)
        signs = {(run.run_id, run.tags.get(ALIVE_TAG)) for run, _ in found}
        found = [it for it in _look(instance) if (it[0].run_id, it[0].tags.get(ALIVE_TAG)) in signs]
    for run, why in found:
        instance.report_run_failed(run, why)
    return [run.run_id for run, _ in found]


def _look(instance: dg.DagsterInstance) -> list[tuple[dg.DagsterRun, str]]:
    """Return the runs that seem abandoned, each with the reason."""
    records = instance.get_run_records(dg.RunsFilter(statuses=list(UNDER_WAY)))
    return [(it.dagster_run, why) for it in records if (why := _why_abandoned(it))]


def _is_elsewhere(run: dg.DagsterRun) -> bool:
    return run.tags.get(MACHINE_TAG) != this_machine()


def _why_abandoned(record: dg.RunRecord) -> str:
    tags = record.dagster_run.tags
    process, is_here = tags.get(PROCESS_TAG), not _is_elsewhere(record.dagster_run)
    if process is not None and is_here and not is_running(int(process)):
        return f"Process {process}, which ran it, ended and recorded no result."
    alive_at = tags.get(ALIVE_TAG)
    if alive_at is None:
        most, since = _NEVER_SEEN_SECONDS, record.update_timestamp
    else:
        # Another process may have the number now; this process may have been suspended.
        most = _NUMBER_REUSED_SECONDS if is_here else _SILENT_SECONDS
        since = dt.datetime.fromisoformat(alive_at)
    silent = (clock.now() - since).total_seconds()
    return f"It gave no sign of life for {silent:.0f} s." if silent > most else ""


def _now() -> str:
    return clock.now().isoformat(timespec="seconds")


@dg.sensor(
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def abandoned_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Mark runs as failed whose process is gone, so that the queue goes on. Shipped running."""
    closed = close_abandoned_runs(context.instance)
    return dg.SkipReason(
        f"Marked as failed: {', '.join(closed)}" if closed else "Every run is alive."
    )
