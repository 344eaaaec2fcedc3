"""Movements of a delivery against an earlier one, and its approvals."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from lending_club_pipeline.warehouse.protocol import Warehouse


@dataclass(frozen=True)
class Movement:
    """Change of a measure of a delivery.

    Attributes:
        measure: `balance`, `interest`, `accounts` or `quarantined`.
        previous_date: date with which it is compared; None for the first delivery.
        value_before: value on that date.
        value_now: value of the delivery.
        change_percent: change in percent of the value before; None if that is zero.
        limit_percent: allowed change in percent; None without a limit.
        is_beyond_limit: whether the change exceeds the limit.
        is_held: whether this holds the delivery.
    """

    measure: str
    previous_date: dt.date | None
    value_before: Decimal | None
    value_now: Decimal
    change_percent: Decimal | None
    limit_percent: Decimal | None
    is_beyond_limit: bool
    is_held: bool


@dataclass(frozen=True)
class Approved:
    """Who approved a delivery, when (UTC) and why."""

    approved_by: str
    approved_at: dt.datetime
    reason: str


@dataclass(frozen=True)
class Movements:
    """All movements of a delivery, with its approvals.

    Attributes:
        as_of_date: its business date.
        measures: by measure, in the order in which they are shown.
        approvals: all approvals of exactly its files, oldest first.
    """

    as_of_date: dt.date
    measures: tuple[Movement, ...]
    approvals: tuple[Approved, ...]

    @property
    def is_held(self) -> bool:
        """Whether the delivery is held."""
        return any(it.is_held for it in self.measures)

    @property
    def are_limited(self) -> bool:
        """Whether there was a limit when the delivery was measured."""
        return any(it.limit_percent is not None for it in self.measures)


# The order of `movement_measures` of the dbt project.
_ORDER = (
    "case measure when 'balance' then 1 when 'interest' then 2 when 'accounts' then 3 else 4 end"
)


def read_movements(warehouse: Warehouse, as_of_date: dt.date) -> Movements:
    """Read the movements of a delivery; no measures if it was never measured."""
    day = f"date '{as_of_date.isoformat()}'"
    rows = warehouse.fetch(
        "select measure, previous_date, value_before, value_now, change_percent, limit_percent, "
        f"is_beyond_limit, is_held from delivery_movements where as_of_date = {day} "
        f"order by {_ORDER}"
    )
    measures = tuple(Movement(**row) for row in rows)
    needs_approval = any(it.is_beyond_limit for it in measures)
    return Movements(as_of_date, measures, _approvals(warehouse, day) if needs_approval else ())


def _approvals(warehouse: Warehouse, day: str) -> tuple[Approved, ...]:
    rows = warehouse.fetch(
        "select approvals.approved_by, approvals.approved_at, approvals.reason "
        "from delivery_approvals as approvals inner join ("
        "select distinct as_of_date, customers_sha256, accounts_sha256 from delivery_movements"
        ") as measured on approvals.as_of_date = measured.as_of_date "
        "and approvals.customers_sha256 = measured.customers_sha256 "
        "and approvals.accounts_sha256 = measured.accounts_sha256 "
        f"where approvals.as_of_date = {day} "
        "order by approvals.approved_at, approvals.approval_id"
    )
    return tuple(Approved(**row) for row in rows)


def held_dates(warehouse: Warehouse, among: Sequence[dt.date] | None = None) -> list[dt.date]:
    """Return the dates that are held, oldest first.

    Args:
        warehouse: an open warehouse.
        among: only consider these dates, if given.
    """
    rows = warehouse.fetch(
        "select distinct as_of_date from delivery_movements where is_held order by as_of_date"
    )
    return [row["as_of_date"] for row in rows if among is None or row["as_of_date"] in among]
