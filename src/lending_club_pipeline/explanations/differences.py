"""Differences between two processed deliveries, by kind of change and by account.

The dbt model `account_changes` finds the changes; this module adds up small results.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from lending_club_pipeline.contract.changes import change_kinds
from lending_club_pipeline.contract.errors import PipelineError
from lending_club_pipeline.files.atomic import replacing
from lending_club_pipeline.reconcile.ledger import DeliveryLedger, read_ledger
from lending_club_pipeline.warehouse import Warehouse

_ZERO: Final = Decimal("0.00")
# Fields of an account to show, each with its value on both dates.
FIELDS: Final = (
    *("balance", "annual_interest", "interest_rate"),
    *("has_loan", "account_type", "customer_id"),
)
_SHOWN: Final = ", ".join(f"{it}_{side}" for it in FIELDS for side in ("before", "after"))
_COLUMNS: Final = f"account_id, change_kinds, quarantine_reasons, {_SHOWN}"
_SUMMED: Final = (
    *("balance_before", "balance_after"),
    *("annual_interest_before", "annual_interest_after"),
)


class NotComparableError(PipelineError):
    """The two dates cannot be compared: one was not processed, or both are the same."""


@dataclass(frozen=True)
class Moved:
    """Accounts with a kind of change, and their money on both dates."""

    accounts: int
    balance_before: Decimal
    balance_after: Decimal
    interest_before: Decimal
    interest_after: Decimal


@dataclass(frozen=True)
class Differences:
    """The changes from one delivery to another.

    Attributes:
        earlier: the older business date.
        later: the newer one.
        by_kind: accounts by kind of change; an account counts for each of its kinds.
        total: all accounts that changed, each counted once.
        joined_before: joined accounts of the older date, from the ledger.
        joined_after: joined accounts of the newer date.
        balance_before: sum of the balances of the older date, from the ledger.
        balance_after: the same for the newer date.
        interest_before: annual interest of the older date, from its tiers.
        interest_after: the same for the newer date.
        examples: accounts by kind, the largest changes of balance first.
    """

    earlier: dt.date
    later: dt.date
    by_kind: dict[str, Moved]
    total: Moved
    joined_before: int
    joined_after: int
    balance_before: Decimal
    balance_after: Decimal
    interest_before: Decimal
    interest_after: Decimal
    examples: dict[str, list[dict[str, Any]]]

    @property
    def adds_up(self) -> bool:
        """Whether the changes add up to the whole difference in accounts, balances and interest."""
        total = self.total
        return (
            self.came - self.went,
            total.balance_after - total.balance_before,
            total.interest_after - total.interest_before,
        ) == (
            self.joined_after - self.joined_before,
            self.balance_after - self.balance_before,
            self.interest_after - self.interest_before,
        )

    @property
    def came(self) -> int:
        """Accounts that are only in the newer delivery."""
        return self._accounts("opened") + self._accounts("released")

    @property
    def went(self) -> int:
        """Accounts that are only in the older delivery."""
        return self._accounts("closed") + self._accounts("quarantined")

    def _accounts(self, kind: str) -> int:
        return self.by_kind[kind].accounts if kind in self.by_kind else 0


def find_differences(
    warehouse: Warehouse, one: dt.date, other: dt.date, limit: int, account_id: str | None = None
) -> Differences:
    """Compare two deliveries.

    Args:
        warehouse: an open warehouse.
        one: a business date.
        other: another one, older or newer.
        limit: largest number of examples for each kind of change.
        account_id: consider only this account.

    Raises:
        NotComparableError: a date was not processed, both are the same, records of a date are no
            longer kept, or there is no such account.
    """
    earlier, later = sorted((one, other))
    before, after = _ledgers(warehouse, earlier, later)
    query, parameters = _changes(earlier, later), list[Any]()
    if account_id is not None:
        _refuse_unknown(warehouse, earlier, later, account_id)
        query, parameters = f"{query} and account_id = ?", [account_id]
    rows = warehouse.fetch(_sums_with_first(query, limit), parameters)
    sums = {row["change_kinds"]: _moved(row) for row in rows}
    found = {kind for kinds in sums for kind in _split(kinds)}
    by_kind = {kind: _sum_of(sums, kind) for kind in change_kinds() if kind in found}
    return Differences(
        earlier,
        later,
        by_kind,
        _sum_of(sums),
        before.rows("accounts.csv", "joined"),
        after.rows("accounts.csv", "joined"),
        before.entries["accounts.csv", "joined"].balance or _ZERO,
        after.entries["accounts.csv", "joined"].balance or _ZERO,
        _interest(warehouse, earlier),
        _interest(warehouse, later),
        {kind: _examples(rows, kind, limit) for kind in by_kind},
    )


def write_differences(warehouse: Warehouse, one: dt.date, other: dt.date, target: Path) -> int:
    """Write every account that changed as CSV, ordered by account; return their number.

    Raises:
        NotComparableError: a date was not processed, both are the same, or records of a date are
            no longer kept.
        OutputError: the file cannot be written; the old file stays.
    """
    earlier, later = sorted((one, other))
    _ledgers(warehouse, earlier, later)
    query = f"{_changes(earlier, later)} order by account_id"
    with replacing(target.absolute(), "--csv") as work:
        return warehouse.copy_to_file(query, work, "csv")


def _changes(earlier: dt.date, later: dt.date) -> str:
    return (
        f"select {_COLUMNS} from account_changes "
        f"where previous_date = date '{earlier.isoformat()}' "
        f"and as_of_date = date '{later.isoformat()}'"
    )


def _sums_with_first(query: str, limit: int) -> str:
    """Return SQL with the sums of each set of kinds, beside its first accounts.

    It is one statement, so that the deliveries are compared once. Sets of kinds exclude each other.
    """
    size = "abs(coalesce(balance_after, 0) - coalesce(balance_before, 0))"
    sums = ", ".join(f"coalesce(sum({it}), 0) as sum_of_{it}" for it in _SUMMED)
    return f"""
        with changes as ({query}),
        sums as (
            select change_kinds as kinds, count(*) as accounts, {sums}
            from changes
            group by change_kinds
        ),
        in_order as (
            select
                *,
                row_number() over (
                    partition by change_kinds order by {size} desc, account_id
                ) as place
            from changes
        )
        select
            sums.kinds as change_kinds,
            sums.accounts,
            {", ".join(f"sums.sum_of_{it}" for it in _SUMMED)},
            in_order.account_id,
            in_order.quarantine_reasons,
            {_SHOWN}
        from sums
        left join in_order
            on sums.kinds = in_order.change_kinds and in_order.place <= {limit:d}
    """


def _ledgers(
    warehouse: Warehouse, earlier: dt.date, later: dt.date
) -> tuple[DeliveryLedger, DeliveryLedger]:
    if earlier == later:
        raise NotComparableError(f"{earlier} cannot be compared with itself. Name two dates.")
    is_made = "account_history" in warehouse.relations()
    found = [read_ledger(warehouse, it) if is_made else None for it in (earlier, later)]
    for date, ledger in zip((earlier, later), found, strict=True):
        if ledger is None:
            raise NotComparableError(
                f"The delivery of {date} was not processed. Process it by "
                f"`lending-club run --as-of {date}`."
            )
        _refuse_incomplete(warehouse, ledger)
    before, after = found
    assert before is not None  # noqa: S101 - narrows the type
    assert after is not None  # noqa: S101 - narrows the type
    return before, after


def _refuse_incomplete(warehouse: Warehouse, ledger: DeliveryLedger) -> None:
    """Refuse a date whose quarantined records are no longer kept.

    Histories are kept longer: without these records, accounts in quarantine would seem closed.
    """
    date = ledger.as_of_date
    if not ledger.is_closed:
        raise NotComparableError(
            f"The ledger of {date} does not close. Process it again: "
            f"lending-club run --as-of {date} --force."
        )
    expected = ledger.excluded("accounts.csv")
    (kept,) = warehouse.fetch(
        "select count(*) as records from quarantined_records "
        f"where as_of_date = date '{date.isoformat()}' and source_file = 'accounts.csv'"
    )
    if kept["records"] != expected:
        raise NotComparableError(
            f"quarantined_records holds {kept['records']:,} of the {expected:,} records of {date}: "
            f"they are no longer kept. Process it again: lending-club run --as-of {date} --force."
        )


def _refuse_unknown(
    warehouse: Warehouse, earlier: dt.date, later: dt.date, account_id: str
) -> None:
    """Refuse an account that neither delivery has, so that a typing error is noticed."""
    days = f"(date '{earlier.isoformat()}', date '{later.isoformat()}')"
    known = warehouse.fetch(
        "select 1 as one from account_history as accounts inner join ("
        f"select distinct as_of_date from delivery_ledger where as_of_date in {days}"
        ") as days on accounts.valid_from <= days.as_of_date "
        "and accounts.valid_to > days.as_of_date where accounts.account_id = ? "
        "union all select 1 as one from quarantined_records "
        f"where as_of_date in {days} and account_id = ? limit 1",
        [account_id] * 2,
    )
    if not known:
        raise NotComparableError(
            f"There is no account {account_id!r} in the deliveries of {earlier} and {later}. "
            "Account numbers are compared as they are, in upper and lower case."
        )


def _interest(warehouse: Warehouse, date: dt.date) -> Decimal:
    """Return the annual interest of all accounts of a date."""
    (row,) = warehouse.fetch(
        "select coalesce(sum(annual_interest), 0) as interest from account_summary_by_tier "
        f"where as_of_date = date '{date.isoformat()}'"
    )
    return Decimal(row["interest"]).quantize(_ZERO)


def _split(kinds: str) -> list[str]:
    return kinds.split(";")


def _moved(row: dict[str, Any]) -> Moved:
    amounts = (Decimal(row[f"sum_of_{name}"]).quantize(_ZERO) for name in _SUMMED)
    return Moved(row["accounts"], *amounts)


def _sum_of(sums: dict[str, Moved], kind: str | None = None) -> Moved:
    """Add up the sets of kinds that hold a kind, or all sets."""
    chosen = [moved for kinds, moved in sums.items() if kind is None or kind in _split(kinds)]
    return Moved(
        sum(it.accounts for it in chosen),
        sum((it.balance_before for it in chosen), _ZERO),
        sum((it.balance_after for it in chosen), _ZERO),
        sum((it.interest_before for it in chosen), _ZERO),
        sum((it.interest_after for it in chosen), _ZERO),
    )


def _examples(rows: list[dict[str, Any]], kind: str, limit: int) -> list[dict[str, Any]]:
    """Return the first accounts of a kind, from the first accounts of each set of kinds."""
    of_kind = (
        row for row in rows if kind in _split(row["change_kinds"]) and row["account_id"] is not None
    )
    return sorted(of_kind, key=_largest_first)[:limit]


def _largest_first(row: dict[str, Any]) -> tuple[Decimal, bytes]:
    moved = (row["balance_after"] or _ZERO) - (row["balance_before"] or _ZERO)
    return -abs(moved), row["account_id"].encode()
