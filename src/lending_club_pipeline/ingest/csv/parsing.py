"""Split a file into records with DuckDB: the only CSV parser of the project.

Both engines read its result, so they never disagree on quotes, short or long records.
"""

import re
from pathlib import Path
from typing import Final

import duckdb

from lending_club_pipeline.contract.errors import Place, RefusedDeliveryError
from lending_club_pipeline.contract.source_files import SourceFile
from lending_club_pipeline.files import duckdb_paths
from lending_club_pipeline.ingest import landed_records
from lending_club_pipeline.ingest.csv.byte_counts import line_that_ends_otherwise
from lending_club_pipeline.ingest.csv.headers import Header
from lending_club_pipeline.ingest.csv.lines import LineEnd, last_byte_of
from lending_club_pipeline.ingest.csv.quotes import mixed_line_ends

LONGEST_RECORD_BYTES: Final = 2 * 2**20
# The smallest buffer for the longest record; each thread has one; larger ones are not faster.
_BUFFER_BYTES: Final = 2 * LONGEST_RECORD_BYTES

# Reasons by DuckDB's name of the error. If a record has several, the first one here counts: causes
# come before their consequences.
_REASONS: Final = {
    "LINE SIZE OVER MAXIMUM": "record_too_long",
    "INVALID ENCODING": "record_not_utf8",
    "UNQUOTED VALUE": "record_broken_quoting",
    "MISSING COLUMNS": "record_wrong_number_of_fields",
    "TOO MANY COLUMNS": "record_wrong_number_of_fields",
}

# Values of the parser's option; without it, the parser uses the first line end, even in quotes.
_NEW_LINES: Final[dict[LineEnd, str]] = {"LF": r"\n", "CRLF": r"\r\n", "CR": r"\r"}
_ERROR_LINE: Final = re.compile(r"Line: (\d+)")


def split(
    connection: duckdb.DuckDBPyConnection,
    plain: Path,
    place: Place,
    header: Header,
    source: SourceFile,
    target: Path,
) -> int:
    """Write the landed records of a file as Parquet and collect the rejected ones.

    Rejected records are left in the connection's tables `reject_errors` and `reject_scans`.
    Rows keep the order of the file, so that their position is their record number.

    Args:
        connection: an engine in memory.
        plain: the text of the file.
        place: the file as errors name it.
        header: its header.
        source: the kind of file.
        target: the Parquet file to write, see `landed_records`.

    Returns:
        The number of landed records.

    Raises:
        RefusedDeliveryError: the file has mixed line ends, or the parser gave up on it.
    """
    for table in ("reject_errors", "reject_scans"):
        connection.execute(f"drop table if exists {table}")
    records = _records(plain, header, "store_rejects = true, rejects_limit = 0")
    statement = f"""
        copy (
            {landed_records.encoded(source, (f"c{at}" for at in header.positions), records)}
        ) to {duckdb_paths.literal(target)} (
            format parquet, parquet_version v2, compression zstd, compression_level 1,
            dictionary_size_limit 1000
        )
    """
    try:
        row = connection.execute(statement).fetchone()
    except duckdb.InvalidInputException as error:
        # Without the text of DuckDB's error, which shows the record.
        raise _refusal(plain, place, str(error)) from None
    return 0 if row is None else int(row[0])


def _records(plain: Path, header: Header, on_error: str) -> str:
    """Return SQL for the records of a file, with every column read.

    The parser checks the text of a column only if somebody asks for it; no field is ever NULL.
    """
    fields = ", ".join(f"'c{at}': 'VARCHAR'" for at in range(len(header.names)))
    read = " and ".join(f"c{at} is not null" for at in range(len(header.names)))
    return f"""
        read_csv(
            {duckdb_paths.exactly(plain)},
            auto_detect = false, delim = ',', quote = '"', escape = '"',
            header = true, skip = {header.line - 1}, columns = {{{fields}}},
            nullstr = chr(1) || 'never' || chr(2), {on_error},
            max_line_size = {LONGEST_RECORD_BYTES}, buffer_size = {_BUFFER_BYTES},
            compression = 'none', hive_partitioning = false
            {"" if header.line_end is None else f", new_line = '{_NEW_LINES[header.line_end]}'"}
        )
        {"where " + read if header.extra_positions else ""}
    """


def _refusal(plain: Path, place: Place, message: str) -> RefusedDeliveryError:
    if "invalid state" in message:
        return mixed_line_ends(Place(place.path, line_that_ends_otherwise(plain)))
    line = _ERROR_LINE.search(message)
    return RefusedDeliveryError(
        "file_not_splittable",
        Place(place.path, int(line[1]) if line else None),
        "the CSV parser cannot read this file from here",
        "Export the file again as plain CSV (RFC 4180)",
    )


def collect_rejects(connection: duckdb.DuckDBPyConnection) -> int:
    """Reduce the parser's errors to one row per rejected record, in table `rejected`.

    The columns are `position` (the first byte of the record), `line_number`, `lines` (how many
    physical lines it takes), `empty_lines` (how many of these are empty), `reason` and
    `raw_record`. Until `rejects.locate` corrects it, `line_number` is the parser's count of
    records. The parser cuts `raw_record` at 10,000 characters.
    """
    ranks = " ".join(f"when '{name}' then {rank}" for rank, name in enumerate(_REASONS))
    names = " ".join(f"when '{name}' then '{reason}'" for name, reason in _REASONS.items())
    # A record with thousands of extra fields has as many errors, each with the record's text. These
    # texts may not fit into memory, so the error that counts is chosen without them.
    connection.execute(f"""
        create or replace temp table first_errors as
        select rowid as error_id
        from reject_errors
        qualify row_number() over (
            partition by line_byte_position
            order by case error_type {ranks} else 99 end, byte_position, rowid
        ) = 1
    """)
    connection.execute(f"""
        create or replace table rejected as
        select
            line_byte_position - 1 + length(csv_line) - length(ltrim(csv_line, chr(10) || chr(13)))
                as position,
            case error_type {names} else error('unknown kind of error: ' || error_type) end
                as reason,
            rtrim(ltrim(coalesce(csv_line, ''), chr(10) || chr(13)), chr(10) || chr(13))
                as raw_record,
            cast(line as bigint) as line_number,
            cast(1 as bigint) as lines,
            cast(0 as bigint) as empty_lines,
        from reject_errors
        where rowid in (select error_id from first_errors)
    """)
    row = connection.execute("select count(*) from rejected").fetchone()
    return 0 if row is None else int(row[0])


def count_inner_lines(
    connection: duckdb.DuckDBPyConnection,
    plain: Path,
    header: Header,
    columns: tuple[str, ...],
    target: Path,
) -> tuple[int, int]:
    """Count line ends, and empty lines, inside the fields of landed records.

    This reads the landed text, not the file; a number has no line end. Only
    extra columns, which are not landed, are read once more.
    """
    relation = duckdb_paths.parquet(target)
    lines, empty_lines = _inner_lines(connection, relation, columns, header.line_end)
    if header.extra_positions:
        relation = f"(from {_records(plain, header, 'ignore_errors = true')})"
        extra = tuple(f"c{at}" for at in header.extra_positions)
        more_lines, more_empty_lines = _inner_lines(connection, relation, extra, header.line_end)
        return lines + more_lines, empty_lines + more_empty_lines
    return lines, empty_lines


def _inner_lines(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    columns: tuple[str, ...],
    line_end: LineEnd | None,
) -> tuple[int, int]:
    end = f"chr({ord(last_byte_of(line_end))})"
    # A CRLF counts as its line feed.
    plain = "text" if line_end == "CR" else "replace(text, chr(13) || chr(10), chr(10))"
    has_line_end = " or ".join(f'contains("{it}", {end})' for it in columns)
    pieces = " union all ".join(f'select "{it}" as text from broken' for it in columns)
    row = connection.execute(f"""
        with broken as (select * from {relation} where {has_line_end}),
        fields as ({pieces}),
        lines as (
            select string_split({plain}, {end}) as lines
            from fields
        )
        select
            coalesce(sum(len(lines) - 1), 0),
            coalesce(sum(len(list_filter(lines[2:-2], lambda line: line = ''))), 0)
        from lines
        where len(lines) > 1
    """).fetchone()
    return (0, 0) if row is None else (int(row[0]), int(row[1]))
