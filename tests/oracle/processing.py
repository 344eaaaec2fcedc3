"""Two files -> the outputs, the ledger and the counts by reason."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from tests.oracle.cleaning import ACCOUNT_FIELDS, CUSTOMER_FIELDS, Cleaned
from tests.oracle.splitting import Landed, Refused, SplitFile, split

CUSTOMERS, ACCOUNTS = "Customer.csv", "accounts.csv"
COLUMNS = {
    CUSTOMERS: ("CustomerID", "Name", "HasLoan"),
    ACCOUNTS: ("AccountID", "CustomerID", "Balance", "AccountType"),
}
SUMMARY_HEADER = (
    "customer_id,account_id,original_balance,interest_rate,annual_interest,new_balance\n"
)
QUARANTINE_HEADER = "as_of_date,source_file,record_number,line_number,reasons,raw_record\n"
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Rates:
    """Rates with the date from which they are in force.

    Attributes:
        tiers: date, lower bound, annual base rate.
        bonuses: date, annual bonus where there is a loan.
    """

    tiers: tuple[tuple[dt.date, Decimal, Decimal], ...]
    bonuses: tuple[tuple[dt.date, Decimal], ...]

    def annual(self, balance: Decimal, has_loan: str, as_of: dt.date) -> Decimal:
        """The rate of an account on a date."""
        since = max(date for date, _, _ in self.tiers if date <= as_of)
        reached = [it for it in self.tiers if it[0] == since and it[1] <= balance]
        rate = max(reached, key=lambda it: it[1])[2]
        if has_loan == "Yes":
            rate += max((it for it in self.bonuses if it[0] <= as_of), key=lambda it: it[0])[1]
        return rate


_LONG_AGO = dt.date(1900, 1, 1)
DEFAULT = Rates(
    tiers=(
        (_LONG_AGO, Decimal(0), Decimal("0.0100")),
        (_LONG_AGO, Decimal(10_000), Decimal("0.0150")),
        (_LONG_AGO, Decimal(20_000), Decimal("0.0200")),
    ),
    bonuses=((_LONG_AGO, Decimal("0.0050")),),
)


@dataclass(frozen=True)
class Customer:
    """A cleaned customer."""

    name: str | None
    has_loan: str


@dataclass(frozen=True)
class Account:
    """A cleaned account."""

    customer_id: int
    account_type: str
    balance: Decimal


Ledger = dict[tuple[str, str], tuple[int, int | None, int | None]]


@dataclass(frozen=True)
class Outcome:
    """What the pipeline must have made of a delivery.

    Attributes:
        account_summary_csv: bytes of that output.
        quarantine_csv: bytes of that output.
        ledger: rows, cents and rows without an accepted balance, by source file and stage.
        reasons: records by source file and reason.
        customers: cleaned customers by id.
        accounts: cleaned accounts by id.
        quarantined: quarantined account records by readable customer id.
        quarantined_accounts: readable account ids of quarantined records.
    """

    account_summary_csv: bytes
    quarantine_csv: bytes
    ledger: Ledger
    reasons: Counter[tuple[str, str]]
    customers: dict[int, Customer]
    accounts: dict[str, Account]
    quarantined: Counter[int]
    quarantined_accounts: frozenset[str]


@dataclass
class Row:
    """A landed record on its way."""

    landed: Landed
    values: dict[str, object]
    staging_reasons: set[str]
    join_reasons: set[str] = field(default_factory=set)
    is_exact_duplicate: bool = False

    @property
    def is_cleaned(self) -> bool:
        return not self.staging_reasons and not self.is_exact_duplicate


def process(
    customers: bytes, accounts: bytes, as_of: dt.date, rates: Rates = DEFAULT
) -> Outcome | Refused:
    """Process a delivery."""
    try:
        files = {
            CUSTOMERS: split(CUSTOMERS, customers, COLUMNS[CUSTOMERS]),
            ACCOUNTS: split(ACCOUNTS, accounts, COLUMNS[ACCOUNTS]),
        }
    except Refused as refused:
        return refused
    rows = {
        CUSTOMERS: _cleaned(files[CUSTOMERS], CUSTOMER_FIELDS, "customer_id"),
        ACCOUNTS: _cleaned(files[ACCOUNTS], ACCOUNT_FIELDS, "account_id"),
    }
    loans = _join(rows[CUSTOMERS], rows[ACCOUNTS])
    published = [
        row
        for row in rows[ACCOUNTS]
        if row.is_cleaned and not row.join_reasons and row.values["account_type"] == "Savings"
    ]
    return Outcome(
        _summary(published, loans, as_of, rates),
        _quarantine(files, rows, as_of),
        _customer_ledger(files[CUSTOMERS], rows[CUSTOMERS])
        | _account_ledger(files[ACCOUNTS], rows[ACCOUNTS]),
        Counter(
            (name, reason)
            for name in (CUSTOMERS, ACCOUNTS)
            for _, _, reasons, _ in _unused(files[name], rows[name])
            for reason in reasons
        ),
        dict(_customer(row) for row in rows[CUSTOMERS] if row.is_cleaned),
        dict(_account(row) for row in rows[ACCOUNTS] if row.is_cleaned),
        Counter(
            customer
            for row in rows[ACCOUNTS]
            if (row.staging_reasons or row.join_reasons)
            and isinstance(customer := row.values["customer_id"], int)
        ),
        frozenset(
            account
            for row in rows[ACCOUNTS]
            if (row.staging_reasons or row.join_reasons)
            and isinstance(account := row.values["account_id"], str)
        ),
    )


def _customer(row: Row) -> tuple[int, Customer]:
    customer, name, has_loan = (row.values[it] for it in ("customer_id", "name", "has_loan"))
    assert isinstance(customer, int)
    assert isinstance(name, str | None)
    assert isinstance(has_loan, str)
    return customer, Customer(name, has_loan)


def _account(row: Row) -> tuple[str, Account]:
    account, customer = row.values["account_id"], row.values["customer_id"]
    kind, balance = row.values["account_type"], row.values["balance"]
    assert isinstance(account, str)
    assert isinstance(customer, int)
    assert isinstance(kind, str)
    assert isinstance(balance, Decimal)
    return account, Account(customer, kind, balance)


def _cleaned(file: SplitFile, cleaners: dict[str, Callable[[str], Cleaned]], key: str) -> list[Row]:
    rows = []
    for landed in file.landed:
        cleaned = {
            column: clean(text)
            for (column, clean), text in zip(cleaners.items(), landed.fields, strict=True)
        }
        values = {column: it.value for column, it in cleaned.items()}
        reasons = {reason for it in cleaned.values() for reason in it.reasons}
        rows.append(Row(landed, values, reasons))
    _settle_duplicates(rows, key)
    return rows


def _settle_duplicates(rows: list[Row], key: str) -> None:
    by_key: dict[object, list[Row]] = defaultdict(list)
    for row in rows:
        if row.values[key] is not None:
            by_key[row.values[key]].append(row)
    for same in by_key.values():
        if len(same) == 1:
            continue
        if all(not row.staging_reasons and row.values == same[0].values for row in same):
            for row in same[1:]:
                row.is_exact_duplicate = True
        else:
            for row in same:
                row.staging_reasons.add("conflicting_duplicate")


def _join(customers: list[Row], accounts: list[Row]) -> dict[object, str]:
    """Give accounts their customer reasons; return the loan of each cleaned customer."""
    loans = {
        row.values["customer_id"]: str(row.values["has_loan"])
        for row in customers
        if row.is_cleaned
    }
    quarantined = {row.values["customer_id"] for row in customers if row.staging_reasons}
    for row in accounts:
        customer = row.values["customer_id"]
        if row.is_exact_duplicate or customer is None or customer in loans:
            continue
        is_known = customer in quarantined
        row.join_reasons.add("customer_quarantined" if is_known else "customer_not_found")
    return loans


def _summary(published: list[Row], loans: dict[object, str], as_of: dt.date, rates: Rates) -> bytes:
    lines = {}
    for row in published:
        account, customer = row.values["account_id"], row.values["customer_id"]
        balance = row.values["balance"]
        assert isinstance(account, str)
        assert isinstance(balance, Decimal)
        rate = rates.annual(balance, loans[customer], as_of)
        interest = (balance * rate).quantize(CENT, ROUND_HALF_UP)
        lines[account.encode()] = _csv_line(
            str(customer),
            account,
            f"{balance:.2f}",
            f"{rate:.4f}",
            f"{interest:.2f}",
            f"{balance + interest:.2f}",
        )
    return (SUMMARY_HEADER + "".join(lines[it] for it in sorted(lines))).encode()


def _unused(
    file: SplitFile, rows: list[Row]
) -> Iterable[tuple[int | None, int | None, list[str], str]]:
    """Record number, line number, reasons and raw record of each record that is not used."""
    for row in rows:
        reasons = sorted(row.staging_reasons | row.join_reasons)
        if reasons:
            raw = ",".join(_quoted(it) for it in row.landed.fields)
            yield row.landed.record_number, None, reasons, raw
    for rejected in file.rejected:
        yield None, rejected.line_number, [rejected.reason], rejected.raw


def _quarantine(files: dict[str, SplitFile], rows: dict[str, list[Row]], as_of: dt.date) -> bytes:
    lines = [
        _csv_line(as_of.isoformat(), name, _number(record), _number(line), ";".join(why), raw)
        for name in (CUSTOMERS, ACCOUNTS)
        for record, line, why, raw in _unused(files[name], rows[name])
    ]
    return (QUARANTINE_HEADER + "".join(lines)).encode()


def _number(value: int | None) -> str | None:
    return None if value is None else str(value)


def _csv_line(*values: str | None) -> str:
    """A line as DuckDB writes it: NULL is nothing, an empty text is an empty pair of quotes."""
    written = ("" if it is None else _quoted(it) or '""' for it in values)
    return ",".join(written) + "\n"


def _quoted(text: str) -> str:
    if any(it in text for it in (",", '"', "\n", "\r", "#")):
        return '"' + text.replace('"', '""') + '"'
    return text


def _customer_ledger(file: SplitFile, rows: list[Row]) -> Ledger:
    stages = _stages_until_cleaned(rows)
    ledger: Ledger = {(CUSTOMERS, stage): (len(kept), None, None) for stage, kept in stages.items()}
    ledger[CUSTOMERS, "records"] = (len(rows) + len(file.rejected), None, None)
    ledger[CUSTOMERS, "rejected"] = (len(file.rejected), None, None)
    return ledger


def _account_ledger(file: SplitFile, rows: list[Row]) -> Ledger:
    stages = _stages_until_cleaned(rows)
    stages["quarantined_join"] = [it for it in stages["cleaned"] if it.join_reasons]
    stages["joined"] = [it for it in stages["cleaned"] if not it.join_reasons]
    for row in stages["joined"]:
        is_savings = row.values["account_type"] == "Savings"
        stages.setdefault("published" if is_savings else "not_savings", []).append(row)
    names = (*stages, "not_savings", "published")
    ledger = {(ACCOUNTS, name): _with_cents(stages.get(name, [])) for name in names}
    count, cents, unknown = ledger[ACCOUNTS, "landed"]
    rejected = len(file.rejected)
    ledger[ACCOUNTS, "records"] = (count + rejected, cents, (unknown or 0) + rejected)
    ledger[ACCOUNTS, "rejected"] = (rejected, 0, rejected)
    return ledger


def _stages_until_cleaned(rows: list[Row]) -> dict[str, list[Row]]:
    return {
        "landed": rows,
        "exact_duplicate": [it for it in rows if it.is_exact_duplicate],
        "quarantined_staging": [it for it in rows if it.staging_reasons],
        "cleaned": [it for it in rows if it.is_cleaned],
    }


def _with_cents(rows: list[Row]) -> tuple[int, int | None, int | None]:
    known = [it.values["balance"] for it in rows if isinstance(it.values["balance"], Decimal)]
    return len(rows), sum(int(it * 100) for it in known), len(rows) - len(known)
