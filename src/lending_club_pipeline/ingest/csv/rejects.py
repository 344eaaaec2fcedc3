"""Find reason, physical line and text of each rejected record."""

import mmap
from pathlib import Path
from typing import Final, TypeAlias

import duckdb

from lending_club_pipeline.files.mapped import mapped
from lending_club_pipeline.ingest.csv.lines import LineEnd, count_lines, lines_of
from lending_club_pipeline.ingest.csv.quotes import Record, record_at

LONGEST_SHOWN_CHARACTERS: Final = 10_000
_BATCH: Final = 100_000

_Located: TypeAlias = tuple[int, int, int, int, str, str]


def locate(
    connection: duckdb.DuckDBPyConnection,
    plain: Path,
    line_end: LineEnd | None,
    *,
    one_line_each: bool,
    is_sanitized: bool,
) -> None:
    """Set line number, lines, reason and text of rejected records from the bytes.

    The parser counts records, not lines, and shows undecodable text with question marks.

    Args:
        connection: the engine that split the file.
        plain: the text of the file, as it was delivered.
        line_end: line end of its records.
        one_line_each: every record of the file is one line and no line is empty; then the
            parser's count is right.
        is_sanitized: the parser saw a copy in which broken records are blanked out. Otherwise only
            text that the parser cannot show is read again.
    """
    unclear = f"""
        where reason != 'record_wrong_number_of_fields' or contains(raw_record, '?')
            or length(raw_record) = 0 or length(raw_record) >= {LONGEST_SHOWN_CHARACTERS - 1}
    """
    connection.execute(
        "create or replace table located (position bigint, line_number bigint, lines bigint, "
        "empty_lines bigint, reason varchar, raw_record varchar)"
    )
    rows = connection.cursor().execute(
        "select position, line_number, reason from rejected "
        f"{unclear if one_line_each and not is_sanitized else ''} order by position"
    )
    with mapped(plain) as file:
        counted_to, line = 0, 1
        while batch := rows.fetchmany(_BATCH):
            located: list[_Located] = []
            for position, record_number, reason in batch:
                if one_line_each:
                    line = record_number
                else:
                    line += count_lines(file.content, counted_to, position, line_end)
                    counted_to = position
                record = record_at(file.content, position)
                located.append(_located(file.content, record, line, reason, line_end))
                file.release_before(position)
            _insert(connection, located)
    connection.execute("""
        update rejected
        set line_number = located.line_number,
            lines = located.lines,
            empty_lines = located.empty_lines,
            reason = located.reason,
            raw_record = located.raw_record
        from located where located.position = rejected.position
    """)


def _located(
    content: mmap.mmap, record: Record, line: int, reason: str, line_end: LineEnd | None
) -> _Located:
    text = content[record.start : record.end]
    lines = lines_of(text, line_end)
    shown = text[: 4 * LONGEST_SHOWN_CHARACTERS].decode("utf-8", "replace")
    return (
        record.start,
        line,
        len(lines),
        lines.count(b""),
        _reason(record, text, reason),
        shown[:LONGEST_SHOWN_CHARACTERS],
    )


def _reason(record: Record, text: bytes, reason: str) -> str:
    """Return the cause that made a record unreadable, rather than its consequences."""
    if reason == "record_too_long":
        return reason
    try:
        text.decode()
    except UnicodeDecodeError:
        return "record_not_utf8"
    return "record_broken_quoting" if record.is_broken else reason


def _insert(connection: duckdb.DuckDBPyConnection, rows: list[_Located]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    connection.execute(
        "insert into located select unnest(?), unnest(?), unnest(?), unnest(?), "
        "unnest(?::varchar[]), unnest(?::varchar[])",
        columns,
    )
