"""Records the steps of a run in the states of its business dates, for later runs."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Self

from lending_club_pipeline.config import clock
from lending_club_pipeline.ingest.deliveries.delivered_files import checksums_in
from lending_club_pipeline.runs.day_states import TABLE, DayState, builds_of, read_days
from lending_club_pipeline.warehouse import Warehouse


@dataclass(frozen=True)
class Build:
    """Result of a build.

    Attributes:
        is_built: every model was built and every blocking check passed.
        closed: dates whose ledger closes.
        held: dates that wait for an approval.
        blocking_checks: how many blocking checks passed.
    """

    is_built: bool
    closed: Collection[dt.date] = ()
    held: Collection[dt.date] = ()
    blocking_checks: int = 0


@dataclass(frozen=True)
class DayJournal:
    """Records the steps of a run in the states of its business dates.

    No other run writes meanwhile, so states that were read once stay valid.

    Attributes:
        warehouse: an open warehouse, with the right to write.
        run_id: Dagster's id of the run.
        days: states by business date.
        before: states by business date at the start.
    """

    warehouse: Warehouse
    run_id: str
    days: dict[dt.date, DayState]
    before: Mapping[dt.date, DayState]

    @classmethod
    def begin(cls, warehouse: Warehouse, run_id: str) -> Self:
        """Read the states.

        Args:
            warehouse: an open warehouse, with the right to write.
            run_id: Dagster's id of the run.
        """
        days = read_days(warehouse)
        return cls(warehouse, run_id, days, dict(days))

    def begin_landing(self, dates: Iterable[dt.date]) -> None:
        """Record that landed files will be replaced now: builds may no longer match them.

        If a run is killed before `land` or `refuse`, the next run processes these dates again.
        """
        known = (self._of(date) for date in dates)
        self._write(replace(state, is_built=False) for state in known if state.is_built)

    def refuse(self, source: str, refused: Mapping[dt.date, tuple[str, str]]) -> None:
        """Record refused files; the files that were landed before stay.

        Args:
            source: where the deliveries came from.
            refused: by date the files, as `identify` returns them, and why they are refused.
        """
        self._write(
            replace(
                self._of(date),
                source=self._of(date).source or source,
                refused=why,
                refused_files=files,
                is_built=self._was_built(date),
            )
            for date, (files, why) in refused.items()
        )

    def land(self, source: str, landed: Mapping[dt.date, str]) -> None:
        """Record landed files; if they differ from the previous ones, a build is due.

        Args:
            source: where the deliveries came from.
            landed: by date the files, as `describe` returns them.
        """
        self._write(self._landed(date, source, files) for date, files in landed.items())

    def _landed(self, date: dt.date, source: str, files: str) -> DayState:
        before = self._of(date)
        is_new = checksums_in(files) != checksums_in(before.files) or before.expired_at is not None
        known = replace(
            before,
            source=source,
            files=files,
            refused="",
            refused_files="",
            landed_at=_now(),
            is_built=self._was_built(date) and not is_new,
        )
        return replace(known, expired_at=None, month_closed_at=None) if is_new else known

    def recognize(self, known: Mapping[dt.date, str]) -> None:
        """Record files that were touched but not changed, so that no run reads them again.

        Args:
            known: by date the files, as `describe` returns them.
        """
        self._write(
            replace(self._of(date), files=files, refused="", refused_files="")
            for date, files in known.items()
        )

    def begin_build(self, dates: Iterable[dt.date], transformation: str) -> None:
        """Record that a build begins; it counts as interrupted until `end_build`."""
        self._write(
            replace(
                self._of(date),
                transformation=transformation,
                build_started_at=_now(),
                build_ended_at=None,
                build_attempts=self._attempts(date) + 1,
                is_built=False,
            )
            for date in dates
        )

    def end_build(self, dates: Iterable[dt.date], outcome: Build) -> None:
        """Record the result of a build."""
        self._write(
            replace(
                self._of(date),
                build_ended_at=_now(),
                build_attempts=0,
                is_built=outcome.is_built,
                is_closed=date in outcome.closed,
                is_held=date in outcome.held,
                blocking_checks=outcome.blocking_checks,
            )
            for date in dates
        )

    def close_months(self, last_dates: Iterable[dt.date]) -> None:
        """Record that months were closed, by the last delivery of each."""
        self._write(replace(self._of(date), month_closed_at=_now()) for date in last_dates)

    def publish(self, as_of_date: dt.date, digest: str) -> None:
        """Record the publication of a date."""
        self._write(
            [
                replace(
                    self._of(as_of_date),
                    published_at=_now(),
                    published_sha256=digest,
                    published_builds=builds_of(self.days),
                )
            ]
        )

    def serve(self, as_of_date: dt.date) -> None:
        """Record that the table for readers holds the published date."""
        self._write([replace(self._of(as_of_date), served_builds=builds_of(self.days))])

    def release(self, as_of_date: dt.date) -> None:
        """Record that a held date was approved, so that the next run processes it."""
        self._write([replace(self._of(as_of_date), is_held=False)])

    def expire(self, dates: Iterable[dt.date]) -> None:
        """Record that the records of some dates were dropped."""
        self._write(replace(self._of(date), expired_at=_now()) for date in dates)

    def _of(self, date: dt.date) -> DayState:
        return self.days.get(date, DayState(date))

    def _attempts(self, date: dt.date) -> int:
        state = self._of(date)
        # Older versions did not count them.
        return max(state.build_attempts, 1) if state.is_interrupted else 0

    def _was_built(self, date: dt.date) -> bool:
        return date in self.before and self.before[date].is_built

    def _write(self, states: Iterable[DayState]) -> None:
        new = [replace(state, run_id=self.run_id) for state in states]
        if new:
            dates = [state.as_of_date for state in new]
            self.warehouse.replace_days(TABLE, dates, [asdict(state) for state in new])
            self.days.update(zip(dates, new, strict=True))


def _now() -> dt.datetime:
    return clock.now().replace(tzinfo=None)
