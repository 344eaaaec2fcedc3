"""The section of the report with the movements against the previous delivery."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from lending_club_pipeline.contract.numbers import format_money, format_percent, sign_of
from lending_club_pipeline.reconcile.movements import Movement, Movements

TITLES: Final = {
    "balance": "Original balance",
    "interest": "Annual interest",
    "accounts": "Savings accounts",
    "quarantined": "Records set aside",
}
_AMOUNTS: Final = {"balance", "interest"}


@dataclass(frozen=True)
class MovedLine:
    """A measure in words.

    Attributes:
        title: its name.
        before: its value in the previous delivery.
        now: its value.
        change: its change.
        limit: the largest allowed change.
        verdict: `beyond`, `within`, or empty if the measure has no limit.
    """

    title: str
    before: str
    now: str
    change: str
    limit: str
    verdict: str


def moved_lines(movements: Movements) -> Sequence[MovedLine]:
    """Return the movements in words; empty if there is no limit or no previous delivery."""
    if not movements.are_limited or movements.measures[0].previous_date is None:
        return ()
    return tuple(_line(it) for it in movements.measures)


def _line(it: Movement) -> MovedLine:
    verdict = "" if it.limit_percent is None else "beyond" if it.is_beyond_limit else "within"
    return MovedLine(
        TITLES[it.measure],
        "" if it.value_before is None else _value(it.measure, it.value_before),
        _value(it.measure, it.value_now),
        change_in_percent(it),
        "" if it.limit_percent is None else format_percent(it.limit_percent),
        verdict,
    )


def _value(measure: str, value: Decimal) -> str:
    return format_money(value) if measure in _AMOUNTS else f"{value:,.0f}"


def change_in_percent(it: Movement) -> str:
    """Write a change with its sign, such as +12.50 %; from zero, write the values instead."""
    if it.change_percent is not None:
        return f"{sign_of(it.change_percent)}{abs(it.change_percent):,.2f} %"
    if it.value_before == it.value_now:
        return "none"
    return f"from {_value(it.measure, it.value_before or Decimal(0))}"
