"""Read Dagster's records of a run: user, partitions, error."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import dagster as dg

from lending_club_pipeline.config.calendars import days_between
from lending_club_pipeline.contract.errors import PipelineError
from lending_club_pipeline.defs.failures import OUTCOME, STOPPED_BY
from lending_club_pipeline.runs.reports import Outcome

# Dagster's documented tags: https://docs.dagster.io/guides/build/partitions-and-backfills
PARTITION_NAME_TAG: Final = "dagster/partition"
ASSET_PARTITION_RANGE_START_TAG: Final = "dagster/asset_partition_range_start"
ASSET_PARTITION_RANGE_END_TAG: Final = "dagster/asset_partition_range_end"
BACKFILL_TAG: Final = "dagster/backfill"


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
    """Return first and last partition of a run of several partitions."""
    first = run.tags.get(ASSET_PARTITION_RANGE_START_TAG)
    last = run.tags.get(ASSET_PARTITION_RANGE_END_TAG)
    if first is None or last is None or first == last:
        return None
    return dt.date.fromisoformat(first), dt.date.fromisoformat(last)


def partitions_of(run: dg.DagsterRun) -> list[dt.date]:
    """Return the business dates of a run."""
    key = run.tags.get(PARTITION_NAME_TAG)
    if key is not None:
        return [dt.date.fromisoformat(key)]
    days = partition_range_of(run)
    return [] if days is None else days_between(*days)


@dataclass(frozen=True)
class RunError:
    """The error that ended a run.

    Attributes:
        message: what went wrong, in one line.
        outcome: `refused`, `held` or `failed`.
        stopped_by: the deliveries that stopped it: messages by date.
    """

    message: str
    outcome: Outcome = "failed"
    stopped_by: Mapping[dt.date, str] = field(default_factory=dict)


def error_of(event: dg.DagsterEvent) -> RunError | None:
    """Return the error that ended a run, if an event holds it, without Dagster's wrapping."""
    if event.is_step_failure:
        given = event.step_failure_data.user_failure_data
        if given is not None:
            return _failure(given.description or "", given.metadata)
        error = event.step_failure_data.error
    elif event.event_type == dg.DagsterEventType.RUN_FAILURE:
        error = getattr(event.event_specific_data, "error", None)
    else:
        return None
    while error is not None and error.cause and (error.cls_name or "").startswith("Dagster"):
        error = error.cause
    return None if error is None else RunError(_one_line(error))


def _failure(description: str, metadata: Mapping[str, Any]) -> RunError:
    stopped = metadata[STOPPED_BY].value if STOPPED_BY in metadata else {}
    return RunError(
        description,
        metadata[OUTCOME].value if OUTCOME in metadata else "failed",
        {dt.date.fromisoformat(date): message for date, message in stopped.items()},
    )


def _one_line(error: Any) -> str:  # noqa: ANN401 - Dagster does not export its type
    text = error.message.strip()
    if error.cls_name in {cls.__name__ for cls in _with_subclasses(PipelineError)}:
        # Python puts the class in front, with its module if it is imported.
        text = text.partition(": ")[2]
    return " ".join(text.split())


def _with_subclasses(cls: type) -> Iterator[type]:
    yield cls
    for child in cls.__subclasses__():
        yield from _with_subclasses(child)
