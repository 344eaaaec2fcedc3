"""Dates, tiers and changes as the report writes them."""

import datetime as dt
from decimal import Decimal
from typing import Final

from lending_club_pipeline.contract.numbers import format_money, format_share, sign_of
from lending_club_pipeline.publish.report.data import TierTotals

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


def date_in_words(day: dt.date) -> str:
    """Write a date so that nobody confuses day and month: 31 January 2026."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def found(number: int | None) -> str:
    """Write how many rows a check found; empty if that is not known."""
    return "" if number is None else f"{number:,} found"


def tier(totals: TierTotals) -> str:
    """Name the balances of a tier."""
    if totals.next_lower_bound is None:
        return f"{_bound(totals.lower_bound)} and more"
    if not totals.lower_bound:
        return f"below {_bound(totals.next_lower_bound)}"
    return f"{_bound(totals.lower_bound)} to below {_bound(totals.next_lower_bound)}"


def _bound(amount: Decimal) -> str:
    return format_money(amount).removesuffix(".00")


def change(now: Decimal | int, before: Decimal | int) -> str:
    """Write a difference with its share, such as +1,200.00 (+2.4 %)."""
    difference = Decimal(now) - Decimal(before)
    if not difference:
        return "no change"
    size = f"{abs(difference):,}"
    sign = sign_of(difference)
    share = format_share(abs(difference), before)
    if not share:
        return f"{sign}{size}"
    return f"{sign}{size} ({share})" if share[0] in "<>" else f"{sign}{size} ({sign}{share})"
