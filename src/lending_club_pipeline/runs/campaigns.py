"""Carry out a plan: many dates in one run, and failures isolated by date.

The caller passes a function that starts a run; this module uses neither Dagster nor the terminal.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from lending_club_pipeline.contract.errors import OutputError
from lending_club_pipeline.contract.locations import Location
from lending_club_pipeline.reconcile.ledger import DeliveryLedger
from lending_club_pipeline.runs.outlook import Outlook
from lending_club_pipeline.runs.plan import Process, Publish, Refuse, Skip, Step, parts_without
from lending_club_pipeline.runs.reports import (
    CommandReport,
    DayOutcome,
    DayReport,
    RunReport,
)

_ENOUGH_FAILURES: Final = 3


@dataclass
class Campaign:
    """Carries out the steps of a plan.

    Attributes:
        process: processes the dates from a first through a last one in one run.
        publish: publishes a date from the warehouse again.
    """

    process: Callable[[dt.date, dt.date], RunReport]
    publish: Callable[[dt.date], RunReport]
    _written: tuple[Location, ...] = ()
    _published: dt.date | None = None
    _tried: set[dt.date] = field(default_factory=set)
    _failed: list[dt.date] = field(default_factory=list)
    _were_failed_at_success: int = 0
    _failed_alike: int = 0
    _last_failure: str = ""

    def carry_out(self, outlook: Outlook) -> CommandReport:
        """Carry out steps; a refused or failed date does not stop the others.

        A date that failed before a later run succeeded is tried again at the end. The cause may be
        tables that a failed larger run left half built.

        Args:
            outlook: the plan, and the states behind it.

        Raises:
            PipelineError: a run could not begin, or publishing again failed.
        """
        self._published = outlook.published
        days: dict[dt.date, DayReport] = {}
        for step in outlook.steps:
            days |= {day.as_of_date: day for day in self._done(step, outlook.ledgers)}
        for date in self._failed[: self._were_failed_at_success]:
            days |= {day.as_of_date: day for day in self._run([date])}
        return CommandReport(
            tuple(days[date] for date in sorted(days)), self._written, self._published
        )

    def _done(self, step: Step, ledgers: Mapping[dt.date, DeliveryLedger]) -> Iterator[DayReport]:
        if isinstance(step, Process):
            yield from self._run(step.dates)
        elif isinstance(step, Skip):
            yield DayReport(step.as_of_date, step.why, "", ledgers.get(step.as_of_date))
        elif isinstance(step, Refuse):
            yield DayReport(step.as_of_date, "refused", step.message)
        elif isinstance(step, Publish):
            report = self.publish(step.as_of_date)
            if report.outcome != "success":
                raise OutputError(report.message)
            self._keep(report)

    def _keep(self, report: RunReport) -> None:
        self._written = report.written or self._written
        self._published = report.published or self._published

    def _run(self, dates: Sequence[dt.date]) -> Iterator[DayReport]:
        """Process contiguous dates in one run; if it fails, find the dates that caused it."""
        if self._failed_alike >= _ENOUGH_FAILURES:
            why = f"not tried after {self._failed_alike} equal failures: {self._last_failure}"
            yield from (DayReport(date, "failed", why) for date in dates)
            return
        report = self.process(dates[0], dates[-1])
        if report.outcome == "success":
            self._keep(report)
            self._failed_alike = 0
            self._were_failed_at_success = len(self._failed)
            for date in dates:
                outcome: DayOutcome = report.left_alone.get(date, "success")
                if outcome == "unchanged" and date in self._tried:
                    # A run of this command built it, before another date stopped that run.
                    outcome = "success"
                yield DayReport(date, outcome, "", report.ledgers.get(date), report.run_id)
        elif len(dates) == 1:
            yield self._unsuccessful(dates[0], report)
        else:
            yield from self._run_others(dates, report)

    def _unsuccessful(self, date: dt.date, report: RunReport) -> DayReport:
        """Count failures with the same message: the cause is then not a single delivery."""
        is_alike = report.outcome == "failed" and report.message == self._last_failure
        self._failed_alike = self._failed_alike + 1 if is_alike else report.outcome == "failed"
        self._last_failure = report.message
        if report.outcome == "failed":
            self._failed.append(date)
        ledger = report.open_ledgers.get(date)
        return DayReport(date, report.outcome, report.message, ledger, report.run_id)

    def _run_others(self, dates: Sequence[dt.date], report: RunReport) -> Iterator[DayReport]:
        """Continue without the dates that stopped a run.

        If no delivery was refused or held, halve the dates to find the one that failed.
        """
        self._tried.update(dates)
        apart: Collection[dt.date] = report.stopped_by.keys() & set(dates)
        if apart:
            for date in sorted(apart):
                message = report.stopped_by[date]
                yield DayReport(date, report.outcome, message, None, report.run_id)
            parts = parts_without(dates, apart)
        else:
            middle = len(dates) // 2
            parts = [list(dates[:middle]), list(dates[middle:])]
        for part in parts:
            yield from self._run(part)
