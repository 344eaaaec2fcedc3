"""Add up the balances of a landed file exactly, accepted or not."""

import re
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Final

import duckdb

from lending_club_pipeline.files.duckdb_paths import literal
from lending_club_pipeline.ingest.csv.white_space import WHITE_SPACE

# Pattern of a number; a test compares it with `money_pattern` of the dbt project.
NUMBER: Final = "(-|-?[$]|[$]-)?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)([.][0-9]+)?"

# Most balances look like this and fit into a decimal.
_PLAIN: Final = "[0-9]{1,15}([.][0-9]{1,2})?"
# Others are added up in pieces of so many digits, two before the point and two after it.
_PIECE: Final = 18
_MOST_DIGITS: Final = 2 * _PIECE
_EXACT: Final = Context(prec=200)


@dataclass(frozen=True)
class BalanceSum:
    """The sum of the balances of a file.

    Attributes:
        amount: their exact sum.
        too_long: number of balances with too many digits to add up; they are not in the sum.
    """

    amount: Decimal
    too_long: int


def sum_balances(connection: duckdb.DuckDBPyConnection, accounts: str) -> BalanceSum:
    """Add up every landed balance that is a number, in one pass over one column.

    Negative numbers, numbers out of range, fractions of a cent and duplicates count; texts that
    are not numbers do not. Nothing is rounded.

    Args:
        connection: an engine.
        accounts: SQL of the landed accounts, as text.
    """
    row = connection.execute(_statement(accounts)).fetchone()
    plain, too_long, *pieces = row or (None, 0)
    amount = Decimal(plain or 0)
    # Pieces by the power of ten of their units.
    for power, piece in zip((_PIECE, 0, -_PIECE, -_MOST_DIGITS), pieces, strict=False):
        amount = _EXACT.add(amount, _EXACT.scaleb(Decimal(int(piece or 0)), power))
    return BalanceSum(amount, int(too_long))


def parse_number(text: str) -> Decimal | None:
    """Parse a number like a balance, exactly; None if it is not a number or too long."""
    trimmed = text.strip(WHITE_SPACE)
    if re.fullmatch(NUMBER, trimmed, re.ASCII) is None:
        return None
    units, _, decimals = re.sub("[$,-]", "", trimmed).partition(".")
    if len(units.lstrip("0")) > _MOST_DIGITS or len(decimals.rstrip("0")) > _MOST_DIGITS:
        return None
    sign = "-" if "-" in trimmed else ""
    return Decimal(f"{sign}{units}.{decimals.rstrip('0') or '0'}")


def _statement(accounts: str) -> str:
    def piece(text: str, at: int) -> str:
        return f"sum(sign * cast(substr({text}, {at}, {_PIECE}) as hugeint))"

    return f"""
        with landed as (
            select balance, regexp_full_match(balance, '{_PLAIN}') as is_plain
            from {accounts}
        ),
        trimmed as (
            select
                case when is_plain then cast(balance as decimal(18, 2)) end as plain_amount,
                case when not is_plain then trim(balance, {literal(WHITE_SPACE)}) end as other
            from landed
        ),
        numbers as (
            select plain_amount, case when regexp_full_match(other, '{NUMBER}') then other end
                as number
            from trimmed
        ),
        digits as (
            select
                plain_amount,
                case when contains(number, '-') then -1 else 1 end as sign,
                regexp_replace(number, '[$,-]', '', 'g') as digits
            from numbers
        ),
        parts as (
            select
                plain_amount,
                sign,
                trim(leading '0' from split_part(digits, '.', 1)) as units,
                trim(trailing '0' from split_part(digits, '.', 2)) as decimals
            from digits
        ),
        padded as (
            select
                plain_amount,
                sign,
                length(units) > {_MOST_DIGITS} or length(decimals) > {_MOST_DIGITS} as is_too_long,
                case when not is_too_long then lpad(units, {_MOST_DIGITS}, '0') end as units,
                case when not is_too_long then rpad(decimals, {_MOST_DIGITS}, '0') end as decimals
            from parts
        )
        select
            sum(plain_amount),
            count(*) filter (is_too_long),
            {piece("units", 1)},
            {piece("units", _PIECE + 1)},
            {piece("decimals", 1)},
            {piece("decimals", _PIECE + 1)}
        from padded
    """
