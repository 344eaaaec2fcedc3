"""Turn the transactions of a real bank into daily deliveries."""

import csv
import datetime as dt
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

TRANSACTIONS = Path(__file__).with_name("transactions.csv")
_YEARS_LATER = 33
_SIGNS = {"PRIJEM": 1, "VYDAJ": -1}


def transactions() -> list[tuple[dt.date, int, Decimal]]:
    """Return date, account and signed amount of each transaction, oldest first."""
    with TRANSACTIONS.open() as file:
        return [
            (_date(it["date"]), int(it["account_id"]), _SIGNS[it["type"]] * Decimal(it["amount"]))
            for it in csv.DictReader(file)
        ]


def balances(day: dt.date, unknown: int = 0) -> dict[int, Decimal]:
    """Return the balance of every open account at the end of a day.

    Args:
        day: the day, in January 2026.
        unknown: how many of the latest transactions are not known yet.
    """
    found: defaultdict[int, Decimal] = defaultdict(Decimal)
    known = [it for it in transactions() if it[0] <= day]
    for _, account, amount in known[: len(known) - unknown]:
        found[account] += amount
    return dict(found)


def _date(text: str) -> dt.date:
    date = dt.datetime.strptime(text, "%y%m%d").date()  # noqa: DTZ007 - a date has no zone
    return date.replace(year=date.year + _YEARS_LATER)
