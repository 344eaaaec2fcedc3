"""Formats of numbers for people: the same text for the same value everywhere."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

_MINUS: Final = "\N{MINUS SIGN}"
_TENTH: Final = Decimal("0.1")
_ALL: Final = Decimal(100)


def format_count(count: int) -> str:
    """Write a number of rows with thousands commas."""
    return f"{count:,}"


def format_money(amount: Decimal) -> str:
    """Write an amount with thousands commas and both decimals."""
    return f"{amount:,.2f}"


def format_change(amount: Decimal) -> str:
    """Write an amount with its sign: +1,200.00."""
    return f"{sign_of(amount)}{format_money(abs(amount))}"


def format_share(part: Decimal | int, whole: Decimal | int) -> str:
    """Write a share with one decimal; only zero is 0.0 %, and only all is 100.0 %."""
    if not whole:
        return ""
    share = Decimal(part) * _ALL / Decimal(whole)
    if 0 < share < _TENTH:
        return "< 0.1 %"
    if _ALL - _TENTH < share < _ALL:
        return "> 99.9 %"
    return f"{share.quantize(_TENTH, ROUND_HALF_UP):,} %"


def format_rate(fraction: Decimal) -> str:
    """Write a rate of one year in percent, with all decimals that it has and at least one."""
    percent = (fraction * _ALL).normalize()
    return f"{percent:f} %" if percent % 1 else f"{percent:.1f} %"


def format_percent(percent: Decimal) -> str:
    """Write a percentage with as many decimals as it needs."""
    return f"{percent.normalize():f} %"


def sign_of(amount: Decimal) -> str:
    """Return the sign of an amount; empty for zero."""
    return "+" if amount > 0 else _MINUS if amount < 0 else ""
