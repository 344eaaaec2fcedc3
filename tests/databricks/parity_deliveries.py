"""Deliveries that are to come out the same on both engines, each with much in it."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lending_club_pipeline.ingest.csv.parsing import LONGEST_RECORD_BYTES
from lending_club_pipeline.synthetic.deliveries import generate_deliveries
from tests import dirt, strategies
from tests.dirt import as_record

DAY = dt.date(2026, 3, 31)
DAY_BEFORE = dt.date(2026, 3, 30)
LATE_DAY = dt.date(2026, 3, 29)

Files = tuple[bytes, bytes]
_OWNERS = (("501", "Ada", "yes"), ("502", "Grace", "no"), ("503", "Edsger", ""))
_CUSTOMERS, _ACCOUNTS = b"CustomerID,Name,HasLoan", b"AccountID,CustomerID,Balance,AccountType"


@dataclass(frozen=True)
class Step:
    """Deliveries by their dates that are processed by one run, and what they show."""

    name: str
    deliveries: dict[dt.date, Files]


def steps(folder: Path) -> tuple[Step, ...]:
    """The deliveries in the order in which they arrive.

    Those of one step are neighbours, as such days share a run; the last one ends a month.
    """
    return (
        Step("a day without savings", {DAY_BEFORE: without_savings()}),
        Step(
            "a late day, that day again, and one with every kind of dirt",
            {LATE_DAY: without_savings(), DAY_BEFORE: drawn(), DAY: everything(folder)},
        ),
    )


def everything(folder: Path, one_in: int = 1) -> Files:
    """Every spelling that the tests know, generated dirt, and amounts and letters of all sorts.

    Of the spellings it may be one in some.
    """
    customers, accounts = dirt.every_case(one_in)
    generate_deliveries(
        customers=500, accounts=1_200, to=folder, dirty=0.4, seed=7, on_progress=lambda _: None
    )
    own_customers = [
        *(as_record(row) for row in (*_OWNERS, *dirt.every_name())),
        b"504," + b"x" * LONGEST_RECORD_BYTES + b",yes",
    ]
    own_accounts = [as_record(row) for row in dirt.every_amount([owner for owner, *_ in _OWNERS])]
    return (
        b"\n".join([customers.rstrip(b"\n"), *own_customers, _body(folder / "Customer.csv")]),
        b"\n".join([accounts.rstrip(b"\n"), *own_accounts, _body(folder / "accounts.csv")]),
    )


def _body(path: Path) -> bytes:
    return path.read_bytes().partition(b"\n")[2]


def _collected(
    rows: st.SearchStrategy[tuple[str, ...]], examples: int
) -> list[list[tuple[str, ...]]]:
    """Lists of rows as hypothesis draws them; the same on every run."""
    found: list[list[tuple[str, ...]]] = []

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(rows, min_size=60, max_size=300))
    def collect(chosen: list[tuple[str, ...]]) -> None:
        found.append(chosen)

    collect()
    return found


def drawn() -> Files:
    """What hypothesis draws: few customers, accounts of many examples beside one another."""
    customers = max(_collected(strategies.customers, 12), key=lambda rows: len(set(rows)))
    accounts = [
        (account_id.replace("A", f"A{example}-", 1), *others)
        for example, rows in enumerate(_collected(strategies.accounts, 12))
        for account_id, *others in rows
    ]
    return (
        dirt.BOM + b"\r\n".join([b"HasLoan,customerid, NAME ", *map(_turned, customers), b""]),
        b"\r".join([_ACCOUNTS, *map(as_record, accounts)]),
    )


def _turned(row: tuple[str, ...]) -> bytes:
    customer_id, name, has_loan = row
    return as_record((has_loan, customer_id, name))


def without_savings() -> Files:
    """Few records, none of which is a savings account that could be used."""
    return (
        b"\n".join([_CUSTOMERS, b"1,Ada,yes", b"2,Grace,no", b"2,Grace,yes", b""]),
        b"\n".join(
            [
                *(_ACCOUNTS, b"A1,1,10.00,Checking", b"A2,2,10.00,Savings", b"A3,3,1,Savings"),
                *(b"A4,1,-1,Savings", b"A5,1", b""),
            ]
        ),
    )
