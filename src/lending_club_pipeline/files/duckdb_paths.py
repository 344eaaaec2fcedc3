"""Paths in DuckDB's SQL: any folder name is allowed, and a path is never a pattern or data.

DuckDB reads `*`, `?` and brackets in a path as a pattern, and a backslash as a slash. From a folder
named `key=value` it makes a column of every row. Only the functions of this module write a path
into a statement.
"""

import re
from pathlib import Path
from typing import Final

from lending_club_pipeline.files.plain_paths import plain_file

_PATTERN: Final = re.compile(r"[*?\[]")
_DATE: Final = "YYYY-MM-DD"


def literal(value: object) -> str:
    """Return a value as a text literal; so a path is the target of `copy … to`, never a pattern."""
    return "'" + str(value).replace("'", "''") + "'"


def exactly(path: Path) -> str:
    """Return a path for a function that reads files, escaped so that it means only this file."""
    return literal(_escaped(plain_file(path) if "\\" in str(path) else path))


def parquet(path: Path) -> str:
    """Return SQL for the rows of one Parquet file."""
    return f"read_parquet({exactly(path)}, hive_partitioning = false)"


def parquet_of_all_days(
    landing: Path, name: str, *, numbered: bool = False, by_name: bool = False
) -> str:
    """Return SQL for the rows of a file of every landed day, with their `as_of_date`.

    DuckDB opens only the files of the dates that a query names by constants.

    Args:
        landing: folder of the landed days.
        name: name of the file in each of them, or a pattern of such names, without `=`.
        numbered: also give the position of each row in its file, as `file_row_number`.
        by_name: allow files that lack columns; then DuckDB opens every file.
    """
    files = literal(_escaped(landing) / "as_of_date=????-??-??" / name)
    date = f"left(right(filename, strpos(reverse(filename), '=') - 1), {len(_DATE)})"
    # DuckDB prunes by a list of dates only if `filename` is a column of the file by this option.
    options = (
        f"hive_partitioning = false, filename = true, file_row_number = {numbered}, "
        f"union_by_name = {by_name}"
    )
    return (
        f"(select * exclude (filename), cast({date} as date) as as_of_date "
        f"from read_parquet({files}, {options}))"
    )


def _escaped(path: Path) -> Path:
    return Path(_PATTERN.sub(r"[\g<0>]", str(path)))
