"""What Dagster keeps of a run: who ran it, of which partitions it is, and what went wrong."""

import datetime as dt
from typing import Any, Final

import dagster as dg
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

# On runs of the command line: the process that runs them.
PID_TAG: Final = "lending_club/pid"


def partition_tags(partitions: tuple[dt.date, dt.date]) -> dict[str, str]:
    """Return the tags of a run.

    Args:
        partitions: first and last partition: a day, or the first day of a month.
    """
    first, last = (partition.isoformat() for partition in partitions)
    if first == last:
        return {PARTITION_NAME_TAG: first}
    return {ASSET_PARTITION_RANGE_START_TAG: first, ASSET_PARTITION_RANGE_END_TAG: last}


def partition_range_of(run: dg.DagsterRun) -> tuple[dt.date, dt.date] | None:
    """Return first and last partition of a run that is of several."""
    first = run.tags.get(ASSET_PARTITION_RANGE_START_TAG)
    last = run.tags.get(ASSET_PARTITION_RANGE_END_TAG)
    if first is None or last is None or first == last:
        return None
    return dt.date.fromisoformat(first), dt.date.fromisoformat(last)


def error_of(event: dg.DagsterEvent) -> Any:  # noqa: ANN401 - Dagster does not export its type
    """Return what the project's code raised, without Dagster's wrapping."""
    if event.is_step_failure:
        error = event.step_failure_data.error
    elif event.event_type == dg.DagsterEventType.RUN_FAILURE:
        error = getattr(event.event_specific_data, "error", None)
    else:
        return None
    while error is not None and error.cause and (error.cls_name or "").startswith("Dagster"):
        error = error.cause
    return error
