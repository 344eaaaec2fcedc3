"""Encoding of landed records: a text that is exactly a printed number is stored as the number.

A field is text, exact to the byte. If the text is exactly how the engine prints a number, only the
number is stored: it is smaller, and needs no parsing. If the text is another plain form of a number
(`007`, `5.5`), both are stored; otherwise only the text. So the field is always
`coalesce(text, cast(number as varchar))`. This is only an encoding: the dbt project decides which
values are accepted.

Days that older versions landed hold only text, in a file of another name.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from lending_club_pipeline.contract.source_files import SOURCE_FILES, SourceFile
from lending_club_pipeline.files import duckdb_paths

# Type of each stored number, and the pattern of other plain texts of a number.
_TYPES: Final = {"customer_number": "bigint", "balance_amount": "decimal(18, 2)"}
_PLAIN: Final = {
    "customer_number": "[0-9]{1,18}",
    "balance_amount": "[0-9]{1,15}([.][0-9]{1,2})?",
}


def file_name(source: SourceFile) -> str:
    """Return the name of the Parquet file of a day's records."""
    return f"{source.table}_encoded.parquet"


def older_file_name(source: SourceFile) -> str:
    """Return the name of the file from older versions, which holds only text."""
    return f"{source.table}.parquet"


def are_encoded(folder: Path) -> bool:
    """Whether the records of a landed day have this version's encoding."""
    return all((folder / file_name(source)).exists() for source in SOURCE_FILES)


def file_in(folder: Path, source: SourceFile) -> Path:
    """Return the Parquet file of the records of a landed day."""
    older = folder / older_file_name(source)
    return older if older.exists() else folder / file_name(source)


def relation_of(folder: Path, source: SourceFile) -> str:
    """Return SQL for the records of a landed day: each field as text, and `file_row_number`."""
    file = file_in(folder, source)
    records = duckdb_paths.parquet(file)
    if file.name == older_file_name(source):
        return records
    fields = ", ".join(decoded(source))
    return f"(select {fields}, file_row_number from {records})"


def encoded(source: SourceFile, texts: Iterable[str], records: str) -> str:
    """Return the query that encodes records.

    Args:
        source: the file.
        texts: columns of `records` that hold the fields, in the order of the source's.
        records: SQL of a relation.
    """
    taken = dict(zip(source.landed_columns, texts, strict=True))
    read, stored, numbers = [], [], []
    for name, text in taken.items():
        read.append(f'{text} as "{name}"')
        number = source.numbers.get(name)
        if number is None:
            stored.append(name)
            continue
        read.append(f"try_cast({text} as {_TYPES[number]}) as {number}")
        is_its_writing = f"cast({number} as varchar) = {name}"
        is_plain = f"regexp_full_match({name}, '{_PLAIN[number]}')"
        stored.append(f"case when {is_its_writing} then null else {name} end as {name}")
        numbers.append(f"case when {is_its_writing} or {is_plain} then {number} end as {number}")
    return f"select {', '.join([*stored, *numbers])} from (select {', '.join(read)} from {records})"


def decoded(source: SourceFile, records: str = "") -> list[str]:
    """Return the expressions of the fields as text, by their names.

    Args:
        source: the file.
        records: alias of the encoded records, if there is one.
    """
    alias = records and f"{records}."

    def text(name: str) -> str:
        number = source.numbers.get(name)
        if number is None:
            return f"{alias}{name}"
        return f"coalesce({alias}{name}, cast({alias}{number} as varchar)) as {name}"

    return [text(name) for name in source.landed_columns]
