"""The facts from which alerts and measurements are found: runs, checks, sensors and daemons."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from lending_club_pipeline.runs.overview import DayOverview
from lending_club_pipeline.runs.reports import Outcome


@dataclass(frozen=True)
class FinishedRun:
    """The newest finished run of a job and date.

    Attributes:
        job: name of the job.
        as_of_date: its business date, or the first day of its month; None if it has none.
        run_id: Dagster's id of the run.
        outcome: how it ended.
        message: what went wrong, in one line; empty after a success.
        ended_at: when it ended.
    """

    job: str
    as_of_date: dt.date | None
    run_id: str
    outcome: Outcome
    message: str
    ended_at: dt.datetime


@dataclass(frozen=True)
class CheckState:
    """The last result of a check.

    Attributes:
        asset: the asset that it checks.
        name: its name.
        passed: whether it found nothing.
        is_blocking: whether it stops publication.
        description: what it proves; may be empty.
        run_id: Dagster's id of the run.
        failing_rows: how many rows it found, if it counts them.
    """

    asset: str
    name: str
    passed: bool
    is_blocking: bool
    description: str = ""
    run_id: str = ""
    failing_rows: int | None = None


@dataclass(frozen=True)
class WatcherState:
    """State of a sensor or schedule that is switched on.

    Attributes:
        name: its name.
        error: error of its last tick, in one line; empty without an error.
        looked_at: time of its last tick.
        interval: time between two ticks; None if that is not regular.
    """

    name: str
    error: str
    looked_at: dt.datetime | None
    interval: dt.timedelta | None = None


@dataclass(frozen=True)
class Observed:
    """The facts from which alerts are found.

    Attributes:
        now: the current time.
        days: status of each business date, if the warehouse was queried.
        due: dates whose delivery should have been processed by now.
        done: dates that a run processed, as far as Dagster knows.
        runs: the newest finished run of each job and date.
        settled: ids of failed runs with their date, if the date was settled by other means.
        checks: last result of each check.
        watchers: sensors and schedules that are switched on.
        daemons: last sign of life of each of Dagster's daemons.
    """

    now: dt.datetime
    days: Sequence[DayOverview] = ()
    due: Collection[dt.date] = ()
    done: Collection[dt.date] = ()
    runs: Sequence[FinishedRun] = ()
    settled: Collection[tuple[str, dt.date]] = ()
    checks: Sequence[CheckState] = ()
    watchers: Sequence[WatcherState] = ()
    daemons: Mapping[str, dt.datetime] = field(default_factory=dict)
