"""Tables of the changes between two deliveries, for the terminal."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.table import Table

from lending_club_pipeline.contract.changes import change_kinds
from lending_club_pipeline.contract.numbers import format_money
from lending_club_pipeline.explanations.differences import FIELDS, Differences, Moved

_NAMES: Final = ("balance", "interest", "rate", "loan", "type", "customer")

# Rates have more decimals than amounts.
_CENTS: Final = -2


def difference_table(found: Differences, currency: str) -> Table:
    """Return a line for each kind of change, and one for all accounts that changed."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, title_justify="left")
    table.title = f"From {found.earlier} to {found.later}, amounts in {currency}"
    table.add_column("change")
    for title in ("accounts", *_money_titles("balance"), *_money_titles("interest")):
        table.add_column(title, justify="right")
    for kind, moved in found.by_kind.items():
        table.add_row(kind.replace("_", " "), *_numbers(moved))
    table.add_section()
    table.add_row("all, each counted once", *_numbers(found.total))
    return table


def _money_titles(name: str) -> tuple[str, ...]:
    return f"{name} before", "after", "difference"


def _numbers(moved: Moved) -> tuple[str, ...]:
    amounts = (
        moved.balance_before,
        moved.balance_after,
        moved.balance_after - moved.balance_before,
        moved.interest_before,
        moved.interest_after,
        moved.interest_after - moved.interest_before,
    )
    return (f"{moved.accounts:,}", *(format_money(amount) for amount in amounts))


def verdict(found: Differences) -> str:
    """Describe whether the changes explain the difference between both ledgers."""
    moved = format_money(found.balance_after - found.balance_before)
    interest = format_money(found.interest_after - found.interest_before)
    before, after = format_money(found.balance_before), format_money(found.balance_after)
    ledgers = (
        f"the ledgers know {found.joined_before:,} accounts with {before}, then "
        f"{found.joined_after:,} with {after}: {found.came:,} came, "
        f"{found.went:,} went, a difference of {moved} in balance and {interest} in annual "
        "interest"
    )
    if found.adds_up:
        return f"It adds up: {ledgers}."
    return f"It does NOT add up: {ledgers}. Process both dates again by --force."


def example_lines(found: Differences) -> Iterator[str]:
    """Describe the first accounts of each kind of change."""
    for kind in found.by_kind:
        rows = found.examples[kind]
        if not rows:
            continue
        yield ""
        yield f"An account that {change_kinds()[kind].meaning}"
        for row in rows:
            yield f"  {row['account_id']}: {', '.join(_changes(row))}"


def _changes(row: dict[str, Any]) -> Iterator[str]:
    for field, name in zip(FIELDS, _NAMES, strict=True):
        before, after = row[f"{field}_before"], row[f"{field}_after"]
        if before is None or after is None:
            if before is not after:
                yield f"{name} {_shown(after if before is None else before)}"
        elif before != after:
            yield f"{name} {_shown(before)} → {_shown(after)}"
    if row["quarantine_reasons"]:
        yield f"quarantined for {row['quarantine_reasons']}"


def _shown(value: object) -> str:
    if isinstance(value, Decimal) and value.as_tuple().exponent == _CENTS:
        return format_money(value)
    return str(value)
