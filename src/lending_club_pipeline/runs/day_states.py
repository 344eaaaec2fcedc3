"""State of each business date: the table `pipeline_days` of the warehouse.

Every run writes it at the moments that count: a delivery was refused, landed, its build began and
ended, it was published, it expired. Nothing of this lies on a local disk, so that the next run may
take place on another machine.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

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
        "build_attempts": "bigint",
        "is_built": "boolean",
        "is_closed": "boolean",
        "is_held": "boolean",
        "blocking_checks": "bigint",
        "published_at": "timestamp",
        "published_sha256": "string",
        "published_builds": "string",
        "served_builds": "string",
        "month_closed_at": "timestamp",
        "expired_at": "timestamp",
        "run_id": "string",
    },
    "State of each business date: files, build, ledger, publication.",
)
# A machine may fail twice; after that, the build itself is the likely cause.
_MOST_ATTEMPTS: Final = 3


@dataclass(frozen=True)
class DayState:
    """The state of a business date. Times are in UTC and without a time zone.

    Attributes:
        as_of_date: the business date.
        source: where its delivery came from: `DELIVERY_SOURCE`, else the inputs folder.
        files: the landed files, as `describe` returns them; empty if none were landed.
        refused: why its newest files are refused; empty if they are not.
        refused_files: the refused files, as `identify` returns them.
        landed_at: when the files were landed.
        transformation: fingerprint of the dbt project that built it, rates and version included.
        build_started_at: when its newest build began.
        build_ended_at: when that build succeeded or failed; None if it was interrupted.
        build_attempts: number of builds that began since a build last ended.
        is_built: whether that build succeeded.
        is_closed: whether its ledger closes.
        is_held: whether it waits for an approval.
        blocking_checks: how many blocking checks that build had to pass.
        published_at: when it was published last.
        published_sha256: digest of the files that were published then.
        published_builds: the builds that the published files were made from, see `builds_of`.
        served_builds: the builds that the table for readers was made from, if there is one.
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
    build_attempts: int = 0
    is_built: bool = False
    is_closed: bool = False
    is_held: bool = False
    blocking_checks: int = 0
    published_at: dt.datetime | None = None
    published_sha256: str = ""
    published_builds: str = ""
    served_builds: str = ""
    month_closed_at: dt.datetime | None = None
    expired_at: dt.datetime | None = None
    run_id: str = ""

    @property
    def is_interrupted(self) -> bool:
        """Whether a build began and never ended."""
        return self.build_started_at is not None and self.build_ended_at is None

    @property
    def is_given_up(self) -> bool:
        """Whether builds were interrupted so often that the build itself may kill its process."""
        return self.is_interrupted and self.build_attempts >= _MOST_ATTEMPTS

    def is_processed_by(self, transformation: str) -> bool:
        """Whether this dbt project built the date, its ledger closes and it is not held."""
        is_done = self.is_built and self.is_closed and not self.is_held
        return is_done and not self.is_interrupted and self.transformation == transformation


def builds_of(days: Mapping[dt.date, DayState]) -> str:
    """Return a text that changes when any date is built again; it does not depend on a clock.

    Older dates count, too: the published date is compared with them.

    Args:
        days: states by date.
    """
    built = (f"{it.as_of_date} {it.build_ended_at}\n" for it in days.values() if it.is_built)
    return hashlib.sha256("".join(sorted(built)).encode()).hexdigest()[:16]


_DEFAULTS: Final = {it.name: it.default for it in fields(DayState) if it.name != "as_of_date"}


def read_days(
    warehouse: Warehouse, dates: Sequence[dt.date] | None = None
) -> dict[dt.date, DayState]:
    """Read the states, by business date.

    Args:
        warehouse: an open warehouse.
        dates: only these dates, if given.
    """
    states = (_state(row) for row in warehouse.read_days(TABLE, dates))
    return {state.as_of_date: state for state in states}


def _state(row: Mapping[str, Any]) -> DayState:
    # A column that an older version did not write is NULL.
    given: dict[str, Any] = {
        name: default if row.get(name) is None else row[name] for name, default in _DEFAULTS.items()
    }
    return DayState(row["as_of_date"], **given)
