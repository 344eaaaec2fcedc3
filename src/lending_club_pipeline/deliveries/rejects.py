"""Say of each rejected record on which physical line it stands; refuse quotes left open."""

import mmap
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias

import duckdb

from lending_club_pipeline.deliveries.splitting import LONGEST_RECORD_BYTES
from lending_club_pipeline.errors import Place, RefusedDeliveryError

LONGEST_SHOWN_CHARACTERS: Final = 10_000
_LINE_END: Final = re.compile(rb"[\r\n]")
_BATCH: Final = 100_000

_Located: TypeAlias = tuple[int, int, int, str | None]


@contextmanager
def _bytes_of(plain: Path) -> Iterator[mmap.mmap]:
    with (
        plain.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        yield content


def refuse_open_quotes(connection: duckdb.DuckDBPyConnection, plain: Path, place: Place) -> None:
    """Refuse the file if a broken quote runs over the end of its line.

    What such a quote swallowed cannot be known: the parser may give up a whole buffer of good
    records for it and go on behind them without a word.

    Raises:
        RefusedDeliveryError: it names the line on which the quote opened.
    """
    suspects = connection.execute(f"""
        select position, length(raw_record) from rejected
        where reason in ('record_broken_quoting', 'record_not_utf8', 'record_too_long')
            and (
                contains(raw_record, chr(10)) or contains(raw_record, chr(13)) or ends_in_line_end
                or length(raw_record) = 0 or length(raw_record) >= {LONGEST_SHOWN_CHARACTERS - 1}
            )
        order by position
    """).fetchall()
    if not suspects:
        return
    with _bytes_of(plain) as content:
        for position, _ in suspects:
            opened = _quote_left_open(content, position)
            if opened is not None:
                line = _line_ends(content, 0, opened) + 1
                raise RefusedDeliveryError(
                    "quote_left_open",
                    Place(place.path, line),
                    "a quote opens on this line and is not closed properly on it, so that the "
                    "records behind it cannot be told apart",
                    "Correct the quote and deliver the file again",
                )


def _quote_left_open(content: mmap.mmap, position: int) -> int | None:
    """Find the quote that makes the record at `position` run over the end of its line.

    Returns None where the record breaks within one line.
    """
    opened, closed, _ = _walk(content, position)
    if opened is None:
        return None
    end = _line_end(content, opened)
    return opened if end < (len(content) if closed is None else closed) else None


def _walk(content: mmap.mmap, position: int) -> tuple[int | None, int | None, int]:
    """Walk over the record at `position` until it ends or a quote breaks it.

    Follows RFC 4180 with the project's rule that a quote opens only as a field's first
    character, spaces aside.

    Returns:
        Where the breaking quote opened, where it seemed to close (both None if no quote breaks
        the record), and the position at which the walk stopped.
    """
    at = position
    while True:
        field = _behind_spaces(content, at)
        if content[field : field + 1] != b'"':
            end = _line_end(content, at)
            comma = content.find(b",", at, end)
            if comma < 0:
                return None, None, end
            at = comma + 1
            continue
        closed = _closing_quote(content, field + 1)
        if closed is None:
            return field, None, len(content)
        at = _behind_spaces(content, closed + 1)
        if content[at : at + 1] in (b"\n", b"\r", b""):
            return None, None, at
        if content[at : at + 1] != b",":
            return field, closed, _line_end(content, closed)
        at += 1


def _behind_spaces(content: mmap.mmap, at: int) -> int:
    while content[at : at + 1] == b" ":
        at += 1
    return at


def _closing_quote(content: mmap.mmap, at: int) -> int | None:
    while True:
        quote = content.find(b'"', at)
        if quote < 0:
            return None
        if content[quote + 1 : quote + 2] != b'"':
            return quote
        at = quote + 2


def _line_end(content: mmap.mmap, at: int) -> int:
    match = _LINE_END.search(content, at)
    return len(content) if match is None else match.start()


def _line_ends(content: mmap.mmap, start: int, end: int) -> int:
    count = 0
    while start < end:
        stop = min(end, start + LONGEST_RECORD_BYTES)
        if stop < end and content[stop - 1 : stop] == b"\r":
            stop += 1
        piece = content[start:stop]
        count += piece.count(b"\n") + piece.count(b"\r") - piece.count(b"\r\n")
        start = stop
    return count


def locate(connection: duckdb.DuckDBPyConnection, plain: Path, *, one_line_each: bool) -> None:
    """Set `line_number` and `lines` of rejected records by counting in the bytes.

    The parser counts records, not lines. Undecodable text is read from the bytes as well, since
    the parser shows it with question marks.

    Args:
        connection: the engine that split the file.
        plain: the text of the file.
        one_line_each: every record of the file is known to be one line and no line is empty;
            the parser's count is right then, and only text that it does not show is read.
    """
    unclear = f"""
        where reason = 'record_not_utf8' or length(raw_record) = 0
            or length(raw_record) >= {LONGEST_SHOWN_CHARACTERS - 1}
    """
    connection.execute(
        "create or replace table located "
        "(position bigint, line_number bigint, lines bigint, raw_record varchar)"
    )
    rows = connection.cursor().execute(
        "select position, reason, raw_record from rejected "
        f"{unclear if one_line_each else ''} order by position"
    )
    with _bytes_of(plain) as content:
        counted_to, line = 0, 1
        while batch := rows.fetchmany(_BATCH):
            located: list[_Located] = []
            for position, reason, shown in batch:
                line += _line_ends(content, counted_to, position)
                counted_to = position
                lines, text = _lines_and_text(content, position, reason, shown)
                located.append((position, line, lines, text))
            _insert(connection, located)
    connection.execute("""
        update rejected
        set line_number = located.line_number,
            lines = located.lines,
            raw_record = coalesce(located.raw_record, rejected.raw_record)
        from located where located.position = rejected.position
    """)


def _lines_and_text(
    content: mmap.mmap, position: int, reason: str, shown: str
) -> tuple[int, str | None]:
    """Count the lines of a record; read its text where the parser does not show it as it came."""
    size = len(shown.encode())
    is_cut = size == 0 or len(shown) >= LONGEST_SHOWN_CHARACTERS - 1
    end = _walk(content, position)[2] if is_cut else position + size
    lines = _line_ends(content, position, end) + 1
    if not is_cut and reason != "record_not_utf8":
        return lines, None
    text = content[position : min(end, position + 4 * LONGEST_SHOWN_CHARACTERS)]
    return lines, text.decode("utf-8", "replace")[:LONGEST_SHOWN_CHARACTERS]


def _insert(connection: duckdb.DuckDBPyConnection, rows: list[_Located]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    connection.execute(
        "insert into located select unnest(?), unnest(?), unnest(?), unnest(?::varchar[])", columns
    )
