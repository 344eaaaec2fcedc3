"""What is known of each business date: the table `pipeline_days` of the warehouse.

Every run writes it at the moments that count: a delivery was refused, landed, its build began and
ended, it was published, it expired. Nothing of this lies on a local disk, so that the next run may
take place on another machine.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final

from lending_club_pipeline.config import clock
from lending_club_pipeline.ingest.deliveries.delivered_files import checksums_in
from lending_club_pipeline.warehouse import Warehouse
from lending_club_pipeline.warehouse.day_tables import DayTable

TABLE: Final = DayTable(
    "pipeline_days",
    {
        "source": "string",
        "files": "string",
        "refused": "string",
        "refused_files": "string",
        "landed_at": "timestamp",
        "transformation": "string",
        "build_started_at": "timestamp",
        "build_ended_at": "timestamp",
        "is_built": "boolean",
        "is_closed": "boolean",
        "is_held": "boolean",
        "blocking_checks": "bigint",
        "published_at": "timestamp",
        "published_sha256": "string",
        "month_closed_at": "timestamp",
        "expired_at": "timestamp",
        "run_id": "string",
    },
    "What the pipeline knows of each business date: files, build, ledger, publication.",
)


@dataclass(frozen=True)
class DayState:
    """What is known of a business date. Times are in UTC and without a time zone.

    Attributes:
        as_of_date: the business date.
        source: where its delivery came from: `DELIVERY_SOURCE`, else the inputs folder.
        files: the landed files, as `describe` tells them; empty if none were landed.
        refused: why its newest files are refused; empty if they are not.
        refused_files: the files that are refused, as `identify` tells them.
        landed_at: when the files were landed.
        transformation: fingerprint of the dbt project that built it, rates and version included.
        build_started_at: when its newest build began.
        build_ended_at: when that build ended, well or badly; None if it was interrupted.
        is_built: whether that build succeeded.
        is_closed: whether its ledger closes.
        is_held: whether it waits for an approval.
        blocking_checks: how many blocking checks that build had to pass.
        published_at: when it was published last.
        published_sha256: digest of what was published then.
        month_closed_at: when its month was closed with it as the last delivery.
        expired_at: when its records were dropped; None if they were not.
        run_id: Dagster's id of the run that wrote this last.
    """

    as_of_date: dt.date
    source: str = ""
    files: str = ""
    refused: str = ""
    refused_files: str = ""
    landed_at: dt.datetime | None = None
    transformation: str = ""
    build_started_at: dt.datetime | None = None
    build_ended_at: dt.datetime | None = None
    is_built: bool = False
    is_closed: bool = False
    is_held: bool = False
    blocking_checks: int = 0
    published_at: dt.datetime | None = None
    published_sha256: str = ""
    month_closed_at: dt.datetime | None = None
    expired_at: dt.datetime | None = None
    run_id: str = ""

    @property
    def is_interrupted(self) -> bool:
        """Whether a build of it began and never ended."""
        return self.build_started_at is not None and self.build_ended_at is None

    def is_processed_by(self, transformation: str) -> bool:
        """Whether it was built to the end, closes and is not held, by this very dbt project."""
        is_done = self.is_built and self.is_closed and not self.is_held
        return is_done and not self.is_interrupted and self.transformation == transformation


_DEFAULTS: Final = {it.name: it.default for it in fields(DayState) if it.name != "as_of_date"}


def read_days(
    warehouse: Warehouse, dates: Sequence[dt.date] | None = None
) -> dict[dt.date, DayState]:
    """Read what is known, by business date.

    Args:
        warehouse: an open warehouse.
        dates: only these dates, if given.
    """
    states = (_state(row) for row in warehouse.read_days(TABLE, dates))
    return {state.as_of_date: state for state in states}


@dataclass(frozen=True)
class DayJournal:
    """Writes what happens to business dates in a run.

    Nobody else writes meanwhile, so that what was read once holds.

    Attributes:
        warehouse: an open warehouse, with the right to write.
        run_id: Dagster's id of the run.
        days: what is known, by business date.
    """

    warehouse: Warehouse
    run_id: str
    days: dict[dt.date, DayState]

    @classmethod
    def begin(cls, warehouse: Warehouse, run_id: str) -> "DayJournal":
        """Read what is known and go on from there.

        Args:
            warehouse: an open warehouse, with the right to write.
            run_id: Dagster's id of the run.
        """
        return cls(warehouse, run_id, read_days(warehouse))

    def refuse(self, source: str, refused: Mapping[dt.date, tuple[str, str]]) -> None:
        """Record what is refused; what was landed before stays.

        Args:
            source: where the deliveries came from.
            refused: by date the files, as `identify` tells them, and why they are refused.
        """
        self._write(
            replace(
                self._of(date),
                source=self._of(date).source or source,
                refused=why,
                refused_files=files,
            )
            for date, (files, why) in refused.items()
        )

    def land(self, source: str, landed: Mapping[dt.date, str]) -> None:
        """Record what is landed; where the files are others than before, a build is due.

        Args:
            source: where the deliveries came from.
            landed: by date the files, as `describe` tells them.
        """
        self._write(self._landed(date, source, files) for date, files in landed.items())

    def _landed(self, date: dt.date, source: str, files: str) -> DayState:
        before = self._of(date)
        is_new = checksums_in(files) != checksums_in(before.files)
        known = replace(before, source=source, files=files, refused="", refused_files="")
        if is_new or before.expired_at is not None:
            known = replace(known, is_built=False, expired_at=None, month_closed_at=None)
        return replace(known, landed_at=_now())

    def begin_build(self, dates: Iterable[dt.date], transformation: str) -> None:
        """Record that a build begins; it is interrupted until `end_build` says otherwise."""
        self._write(
            replace(
                self._of(date),
                transformation=transformation,
                build_started_at=_now(),
                build_ended_at=None,
                is_built=False,
            )
            for date in dates
        )

    def end_build(self, dates: Iterable[dt.date], outcome: "Build") -> None:
        """Record how a build ended, well or badly."""
        self._write(
            replace(
                self._of(date),
                build_ended_at=_now(),
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
        """Record what was published of a date."""
        before = self._of(as_of_date)
        self._write([replace(before, published_at=_now(), published_sha256=digest)])

    def expire(self, dates: Iterable[dt.date]) -> None:
        """Record that the records of some dates were dropped."""
        self._write(replace(self._of(date), expired_at=_now()) for date in dates)

    def _of(self, date: dt.date) -> DayState:
        return self.days.get(date, DayState(date))

    def _write(self, states: Iterable[DayState]) -> None:
        new = [replace(state, run_id=self.run_id) for state in states]
        if new:
            dates = [state.as_of_date for state in new]
            self.warehouse.replace_days(TABLE, dates, [asdict(state) for state in new])
            self.days.update(zip(dates, new, strict=True))


@dataclass(frozen=True)
class Build:
    """How a build ended.

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


def _state(row: Mapping[str, Any]) -> DayState:
    # A column that an older version did not write yet is NULL.
    given: dict[str, Any] = {
        name: default if row.get(name) is None else row[name] for name, default in _DEFAULTS.items()
    }
    return DayState(row["as_of_date"], **given)


def _now() -> dt.datetime:
    return clock.now().replace(tzinfo=None)
