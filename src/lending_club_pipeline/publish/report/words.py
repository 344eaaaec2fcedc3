"""Numbers and dates as readers write them: the same text for the same value, on every machine."""

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from lending_club_pipeline.publish.report.data import TierTotals

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_MINUS: Final = "\N{MINUS SIGN}"
_TENTH: Final = Decimal("0.1")
_ALL: Final = Decimal(100)


def date_in_words(day: dt.date) -> str:
    """Write a date so that nobody confuses day and month: 31 January 2026."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def rows(count: int) -> str:
    """Write a number of rows with thousands commas."""
    return f"{count:,}"


def money(amount: Decimal) -> str:
    """Write an amount with thousands commas and both decimals."""
    return f"{amount:,.2f}"


def found(number: int | None) -> str:
    """Write how many rows a check found; nothing where that is not known."""
    return "" if number is None else f"{number:,} found"


def percent(part: Decimal | int, whole: Decimal | int) -> str:
    """Write a share with one decimal; what is there is never written as 0.0 %, nor all as less."""
    if not whole:
        return ""
    share = Decimal(part) * _ALL / Decimal(whole)
    if 0 < share < _TENTH:
        return "< 0.1 %"
    if _ALL - _TENTH < share < _ALL:
        return "> 99.9 %"
    return f"{share.quantize(_TENTH, ROUND_HALF_UP):,} %"


def rate(fraction: Decimal) -> str:
    """Write a rate of one year in percent, with all decimals that it has and at least one."""
    text = f"{fraction * 100:.2f}"
    return (text.removesuffix("0")) + " %"


def tier(totals: TierTotals) -> str:
    """Name the balances of a tier."""
    if totals.next_lower_bound is None:
        return f"{_bound(totals.lower_bound)} and more"
    if not totals.lower_bound:
        return f"below {_bound(totals.next_lower_bound)}"
    return f"{_bound(totals.lower_bound)} to below {_bound(totals.next_lower_bound)}"


def _bound(amount: Decimal) -> str:
    return f"{amount:,.2f}".removesuffix(".00")


def signed(amount: Decimal) -> str:
    """Write an amount with its sign: +1,200.00."""
    sign = "+" if amount > 0 else _MINUS if amount < 0 else ""
    return f"{sign}{money(abs(amount))}"


def change(now: Decimal | int, before: Decimal | int) -> str:
    """Write what was added since before, with its share: +1,200.00 (+2.4 %)."""
    difference = Decimal(now) - Decimal(before)
    if not difference:
        return "no change"
    size = f"{abs(difference):,}"
    sign = "+" if difference > 0 else _MINUS
    share = percent(abs(difference), before)
    if not share:
        return f"{sign}{size}"
    return f"{sign}{size} ({share})" if share[0] in "<>" else f"{sign}{size} ({sign}{share})"
