"""What changed between two processed deliveries, by reason and to the account.

All of it is computed by the engine, see `difference_queries`; here small results are put together.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from lending_club_pipeline.contract.errors import PipelineError
from lending_club_pipeline.explanations.difference_queries import (
    REASONS,
    SUMMED,
    differences,
    quarantined,
    state,
    summed_with_first,
)
from lending_club_pipeline.files.atomic import replacing
from lending_club_pipeline.reconcile.ledger import DeliveryLedger, read_ledger
from lending_club_pipeline.warehouse import Warehouse

_ZERO: Final = Decimal("0.00")


class NotComparableError(PipelineError):
    """The two dates cannot be compared: one was not processed, or both are the same."""


@dataclass(frozen=True)
class Moved:
    """Accounts that changed for a reason, with their money on both dates."""

    accounts: int
    balance_before: Decimal
    balance_after: Decimal
    interest_before: Decimal
    interest_after: Decimal


@dataclass(frozen=True)
class Differences:
    """What changed from one delivery to another.

    Attributes:
        earlier: the older business date.
        later: the newer one.
        by_reason: accounts by reason; an account counts for each of its reasons.
        total: all accounts that changed, each counted once.
        joined_before: accounts with their customers that the ledger knows of the older date.
        joined_after: those of the newer one.
        balance_before: what they come to, as the ledger says.
        balance_after: the same of the newer date.
        interest_before: annual interest of the older date, as its tiers say.
        interest_after: the same of the newer date.
        examples: accounts by reason, the largest changes of balance first.
    """

    earlier: dt.date
    later: dt.date
    by_reason: dict[str, Moved]
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
        """Whether the changes make the whole difference: in accounts, balances and interest."""
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
        """Accounts that are in the newer delivery alone."""
        return self._accounts("opened") + self._accounts("released")

    @property
    def went(self) -> int:
        """Accounts that are in the older delivery alone."""
        return self._accounts("closed") + self._accounts("quarantined")

    def _accounts(self, reason: str) -> int:
        return self.by_reason[reason].accounts if reason in self.by_reason else 0


def find_differences(
    warehouse: Warehouse, one: dt.date, other: dt.date, limit: int, account_id: str | None = None
) -> Differences:
    """Compare two deliveries.

    Args:
        warehouse: an open warehouse.
        one: a business date.
        other: another one; which is the older does not matter.
        limit: most examples of each reason.
        account_id: look at this account alone.

    Raises:
        NotComparableError: a date was not processed, both are the same, records of a date are no
            longer kept, or there is no such account.
    """
    earlier, later = sorted((one, other))
    before, after = _ledgers(warehouse, earlier, later)
    query, parameters = differences(earlier, later), list[Any]()
    if account_id is not None:
        _refuse_unknown(warehouse, earlier, later, account_id)
        query = f"select * from ({query}) as differences where account_id = ?"
        parameters = [account_id]
    rows = warehouse.fetch(summed_with_first(query, limit), parameters)
    sums = {row["reasons"]: _moved(row) for row in rows}
    by_reason = {it: _sum_of(sums, it) for it in REASONS if any(it in _split(key) for key in sums)}
    return Differences(
        earlier,
        later,
        by_reason,
        _sum_of(sums),
        before.rows("accounts.csv", "joined"),
        after.rows("accounts.csv", "joined"),
        before.entries["accounts.csv", "joined"].balance or _ZERO,
        after.entries["accounts.csv", "joined"].balance or _ZERO,
        _interest(warehouse, earlier),
        _interest(warehouse, later),
        {reason: _examples(rows, reason, limit) for reason in by_reason},
    )


def write_differences(warehouse: Warehouse, one: dt.date, other: dt.date, target: Path) -> int:
    """Write every account that changed as CSV, ordered by account; return their number.

    Raises:
        NotComparableError: a date was not processed, both are the same, or records of a date are
            no longer kept.
        OutputError: the file cannot be written; what was there stays.
    """
    earlier, later = sorted((one, other))
    _ledgers(warehouse, earlier, later)
    query = f"select * from ({differences(earlier, later)}) as differences order by account_id"
    with replacing(target.absolute(), "--csv") as work:
        return warehouse.copy_to_file(query, work, "csv")


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
    """Refuse a date of which the marts hold other records than its ledger counts.

    Histories outlive the records of a day: without these, every account would seem to bear another
    rate, and those in quarantine to be closed.
    """
    date, accounts = ledger.as_of_date, "accounts.csv"
    if not ledger.is_closed:
        raise NotComparableError(
            f"The ledger of {date} does not close. Process it again: "
            f"lending-club run --as-of {date} --force."
        )
    aside = ("rejected", "quarantined_staging", "quarantined_join")
    expected = {
        "account_summary_daily": ledger.rows(accounts, "published"),
        "quarantined_records": sum(ledger.rows(accounts, stage) for stage in aside),
    }
    for mart, rows in expected.items():
        of_accounts = " and source_file = 'accounts.csv'" if mart == "quarantined_records" else ""
        (kept,) = warehouse.fetch(
            f"select count(*) as records from {mart} "
            f"where as_of_date = date '{date.isoformat()}'{of_accounts}"
        )
        if kept["records"] != rows:
            raise NotComparableError(
                f"{mart} holds {kept['records']:,} of the {rows:,} records of {date}: they are no "
                f"longer kept. Process it again: lending-club run --as-of {date} --force."
            )


def _refuse_unknown(
    warehouse: Warehouse, earlier: dt.date, later: dt.date, account_id: str
) -> None:
    """Refuse an account of which neither delivery knows, so that a slip is not taken for peace."""
    known = " union all ".join(
        f"select account_id from ({query}) as known where account_id = ?"
        for date in (earlier, later)
        for query in (state(date, "then"), quarantined(date))
    )
    if not warehouse.fetch(f"select 1 as one from ({known}) as known limit 1", [account_id] * 4):
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


def _split(reasons: str) -> list[str]:
    return reasons.split(";")


def _moved(row: dict[str, Any]) -> Moved:
    amounts = (Decimal(row[f"sum_of_{name}"]).quantize(_ZERO) for name in SUMMED)
    return Moved(row["accounts"], *amounts)


def _sum_of(sums: dict[str, Moved], reason: str | None = None) -> Moved:
    """Add up the sets of reasons that hold a reason, or all of them."""
    chosen = [it for reasons, it in sums.items() if reason is None or reason in _split(reasons)]
    return Moved(
        sum(it.accounts for it in chosen),
        sum((it.balance_before for it in chosen), _ZERO),
        sum((it.balance_after for it in chosen), _ZERO),
        sum((it.interest_before for it in chosen), _ZERO),
        sum((it.interest_after for it in chosen), _ZERO),
    )


def _examples(rows: list[dict[str, Any]], reason: str, limit: int) -> list[dict[str, Any]]:
    """Return the first accounts of a reason out of the first of each set of reasons."""
    of_it = (it for it in rows if reason in _split(it["reasons"]) and it["account_id"] is not None)
    return sorted(of_it, key=_largest_first)[:limit]


def _largest_first(row: dict[str, Any]) -> tuple[Decimal, bytes]:
    moved = (row["balance_after"] or _ZERO) - (row["balance_before"] or _ZERO)
    return -abs(moved), row["account_id"].encode()
