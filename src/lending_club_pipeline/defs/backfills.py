"""Process the deliveries of a range of dates: many in one run, and each failure on its own."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.errors import RefusedDeliveryError
from lending_club_pipeline.defs.local_runs import RunReport, process_days
from lending_club_pipeline.ingest.deliveries.discovery import (
    dates_with_delivery,
    no_delivery_between,
    refuse_future,
    today_utc,
)
from lending_club_pipeline.reconcile.ledger import DeliveryLedger
from lending_club_pipeline.reconcile.movements import held_dates
from lending_club_pipeline.runs.chunks import chunks, neighbours
from lending_club_pipeline.runs.finished_days import expired_days, finished, is_landed
from lending_club_pipeline.runs.published_outputs import is_still_published
from lending_club_pipeline.warehouse import choose_warehouse

DayOutcome = Literal["success", "unchanged", "refused", "failed", "held", "missing", "expired"]

_DAY: Final = dt.timedelta(days=1)
_ENOUGH_FAILURES: Final = 3


@dataclass(frozen=True)
class DayReport:
    """What became of one date of a backfill.

    Attributes:
        as_of_date: the business date.
        outcome: how it ended; `missing` where there is no delivery.
        message: what went wrong, in one line; empty otherwise.
        ledger: the ledger of the delivery, if it is processed.
        run_id: Dagster's id of its run, or empty.
    """

    as_of_date: dt.date
    outcome: DayOutcome
    message: str = ""
    ledger: DeliveryLedger | None = None
    run_id: str = ""


@dataclass(frozen=True)
class BackfillReport:
    """What became of a range of dates, oldest first, and what was published in the end."""

    days: tuple[DayReport, ...]
    written: tuple[Path, ...]

    @property
    def processed(self) -> list[dt.date]:
        """The dates that were processed now."""
        return [day.as_of_date for day in self.days if day.outcome in ("success", "held")]


@dataclass
class _Backfill:
    settings: DataPlatformConfig
    on_message: Callable[[str], None]
    written: tuple[Path, ...] = ()
    _failed: list[dt.date] = field(default_factory=list)
    _were_failed_at_success: int = 0
    _failed_alike: int = 0
    _last_failure: str = ""

    def chunk(self, dates: Sequence[dt.date]) -> Iterator[DayReport]:
        """Process neighbouring dates in one run; if it ends badly, find out whose fault it was."""
        if self._failed_alike >= _ENOUGH_FAILURES:
            why = f"not tried after {self._failed_alike} failures alike: {self._last_failure}"
            yield from (DayReport(date, "failed", why) for date in dates)
            return
        report = process_days(self.settings, (dates[0], dates[-1]), self.on_message)
        if report.outcome == "success":
            self.written = report.written or self.written
            self._failed_alike = 0
            self._were_failed_at_success = len(self._failed)
            for date in dates:
                yield DayReport(date, "success", "", report.ledgers.get(date), report.run_id)
        elif len(dates) == 1:
            self._remember(report)
            if report.outcome == "failed":
                self._failed.append(dates[0])
            yield DayReport(dates[0], report.outcome, report.message, None, report.run_id)
        else:
            yield from self._apart(dates, report)

    @property
    def worth_another_try(self) -> list[dt.date]:
        """The days that failed before others succeeded."""
        return self._failed[: self._were_failed_at_success]

    def _remember(self, report: RunReport) -> None:
        """Count failures with one message: what fails day after day is no fault of a day."""
        is_alike = report.outcome == "failed" and report.message == self._last_failure
        self._failed_alike = self._failed_alike + 1 if is_alike else report.outcome == "failed"
        self._last_failure = report.message

    def _apart(self, dates: Sequence[dt.date], report: RunReport) -> Iterator[DayReport]:
        """Process the dates of a run that ended badly: refused and held ones each by itself.

        A run whose deliveries were all accepted failed in one of them: halves find out in which.
        """
        refused = {date for date in dates if not is_landed(self.settings, date)}
        if report.outcome == "refused" and refused:
            parts = neighbours(dates, len(dates), apart=refused)
        elif report.outcome == "held" and (held := _held(self.settings, dates)):
            parts = neighbours(dates, len(dates), apart=held)
        else:
            middle = len(dates) // 2
            parts = [list(dates[:middle]), list(dates[middle:])]
        for part in parts:
            yield from self.chunk(part)


def _held(settings: DataPlatformConfig, dates: Sequence[dt.date]) -> set[dt.date]:
    warehouse = choose_warehouse(settings)
    with warehouse.session(read_only=True):
        return set(held_dates(warehouse, dates))


def process_range(
    settings: DataPlatformConfig,
    first: dt.date,
    last: dt.date,
    on_message: Callable[[str], None],
    *,
    force: bool = False,
) -> BackfillReport:
    """Process all deliveries from a first date through a last one.

    Deliveries that are processed already and unchanged are left out, and so are those whose records
    are past `RETENTION_DAYS`; but if nothing else is published, and the outputs are not what was
    published last, the last of the unchanged ones is processed for them. Neighbouring days are
    processed together, see `chunks`. A refused or failed day leaves the others as they are. A day
    that failed while others after it were half built, because a larger run had failed, is tried
    again in the end.

    Args:
        settings: the project's settings.
        first: first business date.
        last: last business date.
        on_message: is told what is being done.
        force: process unchanged and expired deliveries, too.

    Raises:
        RefusedDeliveryError: there is no delivery in the range, or no folder of deliveries.
        PipelineError: a run could not even begin.
    """
    dates = dates_with_delivery(settings.input_path, first, last, today_utc())
    if not dates:
        raise no_delivery_between(settings.input_path, first, last)
    days: dict[dt.date, DayReport] = {
        date: DayReport(date, "missing") for date in _every_day(dates[0], dates[-1])
    }
    unchanged = {} if force else _unchanged(settings, dates)
    days |= {date: DayReport(date, "unchanged", "", it) for date, it in unchanged.items()}
    expired = set() if force else expired_days(settings, dates)
    days |= {date: DayReport(date, "expired") for date in expired}
    future = _in_the_future(settings, dates)
    days |= future
    todo = [date for date in dates if date not in {*unchanged, *expired, *future}]
    backfill = _Backfill(settings, on_message)
    for part in chunks(settings, todo):
        days |= {day.as_of_date: day for day in backfill.chunk(part)}
    for date in backfill.worth_another_try:
        days |= {day.as_of_date: day for day in backfill.chunk([date])}
    if unchanged and not backfill.written and not is_still_published(settings):
        # Whichever day runs publishes the newest one.
        days |= {day.as_of_date: day for day in backfill.chunk([max(unchanged)])}
    return BackfillReport(tuple(days[date] for date in sorted(days)), backfill.written)


def _unchanged(
    settings: DataPlatformConfig, dates: Sequence[dt.date]
) -> dict[dt.date, DeliveryLedger]:
    found = ((date, finished(settings, date)) for date in dates)
    return {date: ledger for date, ledger in found if ledger is not None}


def _in_the_future(
    settings: DataPlatformConfig, dates: Sequence[dt.date]
) -> dict[dt.date, DayReport]:
    found = {}
    for date in dates:
        try:
            refuse_future(date, today_utc(), settings.input_path / date.isoformat())
        except RefusedDeliveryError as error:
            found[date] = DayReport(date, "refused", str(error))
    return found


def _every_day(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    return (first + n * _DAY for n in range((last - first).days + 1))
