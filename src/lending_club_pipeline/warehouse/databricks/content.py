"""Content of a table as a number that both engines compute alike, in any order of rows.

The number is the sum of 60 bits of a hash of each row. A sum does not depend on the order, and rows
that are all different (each has a number) do not cancel each other out.
"""

from collections.abc import Iterable
from typing import Final

_HASH_DIGITS: Final = 15


def _text_of_row(columns: Iterable[str]) -> str:
    """Return an expression that differs for different rows: lengths separate the values."""
    values = (f"cast({column} as string)" for column in columns)
    return " || ".join(
        f"coalesce(cast(length({value}) as string) || ':' || {value}, '-')" for value in values
    )


def content_in_spark(columns: Iterable[str]) -> str:
    """Return the aggregate for Spark; exact, for any number of rows that a table can have."""
    digits = f"substr(md5({_text_of_row(columns)}), 1, {_HASH_DIGITS})"
    return f"sum(cast(conv({digits}, 16, 10) as decimal(38, 0)))"


def content_in_duckdb(columns: Iterable[str]) -> str:
    """Return the same aggregate for DuckDB."""
    digits = f"substr(md5({_text_of_row(columns)}), 1, {_HASH_DIGITS})"
    return f"sum(cast(cast('0x' || {digits} as ubigint) as hugeint))"
