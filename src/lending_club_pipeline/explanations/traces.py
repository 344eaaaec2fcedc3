"""Read the trace of one account or customer from the warehouse, in a few small queries."""

import datetime as dt
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal

from lending_club_pipeline.contract.errors import NotLandedError, PipelineError
from lending_club_pipeline.contract.source_files import ACCOUNTS, CUSTOMERS, SourceFile
from lending_club_pipeline.ingest.csv.white_space import WHITE_SPACE
from lending_club_pipeline.warehouse import Warehouse

# Nobody has a longer number, and longer digits are slow to parse.
_LONGEST: Final = 1000
_NONE_PROCESSED: Final = "No delivery was processed yet. Process one by `lending-club run`."
REJECTED_RECORDS: Final = "Records that did not split into fields are in quarantine.csv."

Status = Literal["published", "not_savings", "exact_duplicate", "quarantined", "cleaned"]


class NothingToExplainError(PipelineError):
    """The delivery has no record of that number, or there is no delivery."""


@dataclass(frozen=True)
class RecordTrace:
    """One landed record and its outcome.

    Attributes:
        source: file of the record.
        delivered_name: name of the file as delivered.
        record_number: its position among the landed records of its file.
        raw: its fields as delivered, by the column's name in the file.
        typed: its typed fields; None if only raw text is kept of that day.
        status: its outcome.
        reasons: why it is quarantined.
    """

    source: SourceFile
    delivered_name: str
    record_number: int
    raw: dict[str, str]
    typed: dict[str, Any] | None
    status: Status
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class InterestTrace:
    """Calculation of the interest of a published account; amounts in its currency.

    Attributes:
        original_balance: balance that bears interest.
        lower_bound: least balance of its tier.
        next_lower_bound: least balance of the tier above, or None.
        annual_base_rate: the tier's rate of one year as a fraction.
        effective_date: first day on which the tier applied.
        annual_bonus_rate: loan bonus of the customer; zero without a loan.
        interest_rate: base rate + bonus.
        annual_interest: balance times rate, rounded half up to the cent.
        new_balance: balance + interest.
    """

    original_balance: Decimal
    lower_bound: Decimal
    next_lower_bound: Decimal | None
    annual_base_rate: Decimal
    effective_date: dt.date
    annual_bonus_rate: Decimal
    interest_rate: Decimal
    annual_interest: Decimal
    new_balance: Decimal


@dataclass(frozen=True)
class AccountTrace:
    """All records of one account and of its customer, and its interest if it is published."""

    as_of_date: dt.date
    account_id: str
    records: tuple[RecordTrace, ...]
    customer_records: tuple[RecordTrace, ...]
    interest: InterestTrace | None


@dataclass(frozen=True)
class CustomerTrace:
    """All records of one customer, and of the accounts that name this customer."""

    as_of_date: dt.date
    customer_id: int
    records: tuple[RecordTrace, ...]
    accounts: tuple[RecordTrace, ...]


def trace_account(
    warehouse: Warehouse, account_id: str, as_of_date: dt.date | None = None
) -> AccountTrace:
    """Read the trace of an account.

    Args:
        warehouse: an open warehouse.
        account_id: the account, as in the summary.
        as_of_date: business date; None takes the newest processed delivery.

    Raises:
        NothingToExplainError: that delivery was not processed, or has no such account.
    """
    date = _processed_date(warehouse, as_of_date)
    found = [
        row
        for row in _raw_rows(warehouse, ACCOUNTS, "account_id", account_id, date)
        if row["account_id"].strip(WHITE_SPACE) == account_id
    ]
    if not found:
        raise NothingToExplainError(
            f"accounts.csv of {date} has no account {account_id}. Its spelling counts, capital "
            f"letters too. Name another day by --as-of. {REJECTED_RECORDS}"
        )
    records = _records(warehouse, ACCOUNTS, found, date)
    owners = {number for row in found if (number := _number(row["customer_id"])) is not None}
    customers: list[RecordTrace] = []
    for owner in sorted(owners):
        customers.extend(_customer_records(warehouse, owner, date))
    is_published = any(record.status == "published" for record in records)
    interest = _interest(warehouse, account_id, date) if is_published else None
    return AccountTrace(date, account_id, records, tuple(customers), interest)


def trace_customer(
    warehouse: Warehouse, customer_id: int, as_of_date: dt.date | None = None
) -> CustomerTrace:
    """Read the trace of a customer; see `trace_account`.

    Raises:
        NothingToExplainError: that delivery was not processed, or has no such customer.
    """
    date = _processed_date(warehouse, as_of_date)
    records = _customer_records(warehouse, customer_id, date)
    rows = [
        row
        for row in _raw_rows(warehouse, ACCOUNTS, "customer_id", str(customer_id), date)
        if _number(row["customer_id"]) == customer_id
    ]
    if not records and not rows:
        raise NothingToExplainError(
            f"The delivery of {date} has no customer {customer_id} and no account of one. Name "
            f"another day by --as-of. {REJECTED_RECORDS}"
        )
    return CustomerTrace(date, customer_id, records, _records(warehouse, ACCOUNTS, rows, date))


def _customer_records(
    warehouse: Warehouse, customer_id: int, date: dt.date
) -> tuple[RecordTrace, ...]:
    rows = [
        row
        for row in _raw_rows(warehouse, CUSTOMERS, "customer_id", str(customer_id), date)
        if _number(row["customer_id"]) == customer_id
    ]
    return _records(warehouse, CUSTOMERS, rows, date)


def _number(text: str) -> int | None:
    digits = text.strip(WHITE_SPACE)
    return (
        int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= _LONGEST else None
    )


def _processed_date(warehouse: Warehouse, as_of_date: dt.date | None) -> dt.date:
    dates: list[dt.date] = []
    if "delivery_ledger" in warehouse.relations():
        rows = warehouse.fetch("select distinct as_of_date from delivery_ledger")
        dates = [row["as_of_date"] for row in rows]
    if not dates:
        raise NothingToExplainError(_NONE_PROCESSED)
    date = as_of_date or max(dates)
    if date not in dates:
        raise NothingToExplainError(
            f"The delivery of {date} was not processed. Process it by "
            f"`lending-club run --as-of {date}`."
        )
    _refuse_expired(warehouse, date)
    return date


def _refuse_expired(warehouse: Warehouse, date: dt.date) -> None:
    """Refuse a processed day whose records were dropped or lost."""
    found = []
    with suppress(NotLandedError):
        found = warehouse.fetch(
            "select 1 as one from delivered_files "
            f"where as_of_date = date '{date.isoformat()}' limit 1"
        )
    if not found:
        raise NothingToExplainError(
            f"The records of {date} are no longer kept (RETENTION_DAYS, lending-club expire; or "
            "LANDING_PATH was lost). To land its delivery again: "
            f"lending-club run --as-of {date} --force."
        )


def _raw_rows(
    warehouse: Warehouse, source: SourceFile, column: str, text: str, date: dt.date
) -> list[dict[str, Any]]:
    """Return the landed records in which a column contains a text; the caller compares exactly."""
    fields = ", ".join(f"raw.{name}" for name in source.landed_columns)
    return warehouse.fetch(
        f"select raw.record_number, files.delivered_name, {fields} "
        f"from {source.table}_raw as raw inner join delivered_files as files "
        "on raw.as_of_date = files.as_of_date and raw.source_file = files.source_file "
        f"where raw.as_of_date = ? and contains(raw.{column}, ?) order by raw.record_number",
        [date, text],
    )


def _records(
    warehouse: Warehouse, source: SourceFile, rows: Sequence[dict[str, Any]], date: dt.date
) -> tuple[RecordTrace, ...]:
    if not rows:
        return ()
    numbers = [row["record_number"] for row in rows]
    marks = ", ".join("?" * len(numbers))
    quarantined = {
        row["record_number"]: tuple(row["reasons"].split(";"))
        for row in warehouse.fetch(
            "select record_number, reasons from quarantined_records where as_of_date = ? "
            f"and source_file = ? and record_number in ({marks})",
            [date, source.name, *numbers],
        )
    }
    base = {
        row["record_number"]: row
        for row in warehouse.fetch(
            f"select * from base_{source.table} where as_of_date = ? "
            f"and record_number in ({marks})",
            [date, *numbers],
        )
    }
    published = _published(warehouse, rows, date) if source is ACCOUNTS else set()
    kept: set[str] = set()
    traces = []
    for row in rows:
        number = row["record_number"]
        key = _key(source, row)
        reasons = quarantined.get(number, ())
        status = _status(source, key, reasons, kept, published)
        traces.append(
            RecordTrace(
                source,
                row["delivered_name"],
                number,
                _fields(source, row),
                _fields(source, base[number]) if number in base else None,
                status,
                reasons,
            )
        )
    return tuple(traces)


def _key(source: SourceFile, row: dict[str, Any]) -> str:
    if source is ACCOUNTS:
        return str(row["account_id"].strip(WHITE_SPACE))
    return str(_number(row["customer_id"]))


def _status(
    source: SourceFile, key: str, reasons: tuple[str, ...], kept: set[str], published: set[str]
) -> Status:
    """Return the outcome of a record; `kept` holds the keys of earlier valid records."""
    if reasons:
        return "quarantined"
    if key in kept:
        return "exact_duplicate"
    kept.add(key)
    if source is CUSTOMERS:
        return "cleaned"
    return "published" if key in published else "not_savings"


def _fields(source: SourceFile, row: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a record, by the columns' names in the file."""
    names = zip(source.columns, source.landed_columns, strict=True)
    return {name: row[landed] for name, landed in names}


def _published(warehouse: Warehouse, rows: Sequence[dict[str, Any]], date: dt.date) -> set[str]:
    ids = sorted({_key(ACCOUNTS, row) for row in rows})
    marks = ", ".join("?" * len(ids))
    found = warehouse.fetch(
        f"select account_id from account_summary_daily where as_of_date = ? "
        f"and account_id in ({marks})",
        [date, *ids],
    )
    return {row["account_id"] for row in found}


def _interest(warehouse: Warehouse, account_id: str, date: dt.date) -> InterestTrace:
    (row,) = warehouse.fetch(
        "select original_balance, lower_bound, next_lower_bound, annual_base_rate, effective_date, "
        "annual_bonus_rate, interest_rate, annual_interest, new_balance from account_interest "
        "where as_of_date = ? and account_id = ?",
        [date, account_id],
    )
    return InterestTrace(**row)
