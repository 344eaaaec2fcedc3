"""Check quotes by the project's rules, independently of the CSV parser.

The parser loses its place after a broken quote and misreads a quote after several spaces. So this
module scans the records that hold a quote, and gives the parser a copy of the same length in which
these records are harmless.
"""

import mmap
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final, TypeAlias

from lending_club_pipeline.contract.errors import Place, RefusedDeliveryError
from lending_club_pipeline.files.mapped import WINDOW_BYTES, MappedFile, mapped
from lending_club_pipeline.ingest.csv.byte_counts import BOM
from lending_club_pipeline.ingest.csv.lines import LineEnd, count_lines, last_byte_of

# Repeated groups are atomic inside. Without that, Python before 3.11.5 matches too much
# (https://github.com/python/cpython/issues/106052 and 100061).
_ANY, _SOME = rb"(?:(?>%s))*+", rb"(?:(?>%s))++"
# A field that the parser reads by the rules: at most one space before its quote.
_FIELD: Final = rb'(?: ?+"[^"]*+%s" *+|(?! *+")[^,\r\n]*+)' % (_ANY % rb'""[^"]*+')
_RECORD: Final = _ANY % (_FIELD + rb",") + _FIELD
# A field with both quotes on one line.
_FIELD_ON_A_LINE: Final = rb'(?: ?+"[^"\r\n]*+%s" *+|(?! *+")[^,\r\n]*+)' % (
    _ANY % rb'""[^"\r\n]*+'
)
_RECORD_ON_A_LINE: Final = _ANY % (_FIELD_ON_A_LINE + rb",") + _FIELD_ON_A_LINE
_EACH_END: Final[dict[LineEnd, bytes]] = {"LF": rb"\n", "CRLF": rb"\r\n", "CR": rb"\r(?!\n)"}
_WHOLE_RECORD: Final = re.compile(rb"%s(?=[\r\n]|\Z)" % _RECORD)
_RECORDS: Final[dict[LineEnd, re.Pattern[bytes]]] = {
    name: re.compile(_ANY % (_ANY % end + _RECORD + _SOME % end)) for name, end in _EACH_END.items()
}
# Records that each hold a quote.
_QUOTED_RECORDS: Final[dict[LineEnd, re.Pattern[bytes]]] = {
    name: re.compile(_ANY % (rb'(?=[^\r\n]*+")' + _RECORD_ON_A_LINE + end))
    for name, end in _EACH_END.items()
}
_LINE_END: Final = re.compile(rb"\r\n|\n|\r|\Z")
_QUOTED_OR_NOT: Final = re.compile(rb' *+"(%s)" *+|[^,]*+' % (_ANY % rb'[^"]|""'))
_LINE_ENDS: Final[dict[bytes, LineEnd]] = {b"\n": "LF", b"\r\n": "CRLF", b"\r": "CR"}
_NO_LINE_END: Final = re.compile(rb"[^\r\n]")

_Edit: TypeAlias = tuple[int, bytes]
_Bytes: TypeAlias = bytes | mmap.mmap


@dataclass(frozen=True)
class Record:
    """The end of a record and its quotes; all numbers are positions of bytes.

    Attributes:
        start: its first byte.
        end: after its last byte, before its line end.
        opened: the quote that breaks it, or None.
        closed: the quote that seems to close the breaking one, or None.
        spaced: quoted fields after several spaces: start of the spaces, the two quotes.
    """

    start: int
    end: int
    opened: int | None = None
    closed: int | None = None
    spaced: tuple[tuple[int, int, int], ...] = ()

    @property
    def is_broken(self) -> bool:
        """Whether a quote breaks it."""
        return self.opened is not None


@dataclass(frozen=True)
class Sanitized:
    """The text for the parser, and a fact about the quotes of the file.

    Attributes:
        shown: the copy, or the file itself if nothing had to be changed.
        may_span_lines: a quoted field may hold a line end.
    """

    shown: Path
    may_span_lines: bool


def record_at(content: _Bytes, start: int) -> Record:
    """Scan the record at `start`, to its end or to the end of the line that breaks it."""
    whole = _WHOLE_RECORD.match(content, start)
    if whole is not None:
        return Record(start, whole.end())
    spaced: list[tuple[int, int, int]] = []
    at = start
    while True:
        field, opened = at, _behind_spaces(content, at)
        if content[opened : opened + 1] == b'"':
            closed = _closing_quote(content, opened + 1)
            if closed is None:
                return Record(start, len(content), opened)
            at = _behind_spaces(content, closed + 1)
            if content[at : at + 1] not in (b",", b"\n", b"\r", b""):
                return Record(start, _line_end(content, closed), opened, closed)
            if opened - field > 1:
                spaced.append((field, opened, closed))
        else:
            end = _line_end(content, at)
            comma = content.find(b",", at, end)
            at = end if comma < 0 else comma
        if content[at : at + 1] != b",":
            return Record(start, at, spaced=tuple(spaced))
        at += 1


def fields_of(record: bytes) -> list[bytes]:
    """Return the fields of a record without a broken quote."""
    fields = []
    at = 0
    while at <= len(record):
        found = _QUOTED_OR_NOT.match(record, at)
        if found is None:
            break
        fields.append(found[0] if found[1] is None else found[1].replace(b'""', b'"'))
        at = found.end() + 1
    return fields


def line_end_at(content: _Bytes, at: int) -> LineEnd | None:
    """Return the kind of line end at a position, or None at the end of the file."""
    found = _LINE_END.match(content, at)
    return None if found is None else _LINE_ENDS.get(found[0])


def sanitize(
    plain: Path, copy: Path, place: Place, line_end: LineEnd | None, *, is_uniform: bool
) -> Sanitized:
    """Write a copy of a file that the parser reads by the rules.

    A record that a quote breaks becomes one that is rejected for its number of fields; spaces
    before a quote move behind it. Every record stays where it is and takes as many lines.

    Args:
        plain: the text of the file.
        copy: where to write the copy, if one is needed.
        place: the file as errors name it.
        line_end: line end of the header, which every record should have.
        is_uniform: no other kind of line end occurs, so that only records with a quote need to
            be looked at.

    Raises:
        RefusedDeliveryError: a broken quote runs over the end of its line, or lines end in more
            than one way.
    """
    with _walking(plain, place, line_end, is_uniform=is_uniform) as walk:
        edits = walk.edits()
        first = next(edits, None)
        if first is None:
            return Sanitized(plain, walk.may_span_lines)
        shutil.copyfile(plain, copy)
        with copy.open("r+b") as changed:
            for position, text in chain((first,), edits):
                changed.seek(position)
                changed.write(text)
    return Sanitized(copy, walk.may_span_lines)


def check(plain: Path, place: Place, line_end: LineEnd | None, *, is_uniform: bool) -> None:
    """Refuse a file that `sanitize` refuses, and write nothing."""
    with _walking(plain, place, line_end, is_uniform=is_uniform) as walk:
        for _ in walk.edits():
            pass


@contextmanager
def _walking(
    plain: Path, place: Place, line_end: LineEnd | None, *, is_uniform: bool
) -> Iterator["_Walk"]:
    with mapped(plain) as file:
        yield _Walk(file, place, line_end or "LF", is_uniform)


class _Walk:
    """Scans the records of a file and finds the changes that the parser needs."""

    def __init__(self, file: MappedFile, place: Place, line_end: LineEnd, is_uniform: bool) -> None:
        self._file = file
        self._content = file.content
        self._place = place
        self._line_end = line_end
        self._is_uniform = is_uniform
        self.may_span_lines = not is_uniform

    def edits(self) -> Iterator[_Edit]:
        content = self._content
        at = len(BOM) if content[: len(BOM)] == BOM else 0
        while (at := self._skip(at)) < len(content):
            record = record_at(content, at)
            self._refuse(record)
            self.may_span_lines |= _line_end(content, record.start) < record.end
            if record.is_broken:
                yield record.start, _one_field(content[record.start : record.end])
            for field, opened, closed in record.spaced:
                yield field, content[opened : closed + 1] + content[field:opened]
            at = record.end + (2 if self._line_end == "CRLF" else 1)

    def _skip(self, at: int) -> int:
        """Skip records that need no scan; return where the next other record begins, or the end."""
        while at < len(self._content):
            begin = self._begin_of_quoted(at) if self._is_uniform else at
            patterns = _QUOTED_RECORDS if self._is_uniform else _RECORDS
            match = patterns[self._line_end].match(self._content, begin, self._window_end(begin))
            at = begin if match is None else match.end()
            self._file.release_before(at)
            if at == begin:
                break
        return at

    def _begin_of_quoted(self, at: int) -> int:
        """Return where the next record with a quote begins; without a quote, a line is a record."""
        content, searched = self._content, at
        while (quote := content.find(b'"', searched, searched + WINDOW_BYTES)) < 0:
            searched += WINDOW_BYTES
            self._file.release_before(min(searched, len(content)))
            if searched >= len(content):
                return len(content)
        return max(at, content.rfind(b"\r" if self._line_end == "CR" else b"\n", at, quote) + 1)

    def _window_end(self, at: int) -> int:
        """Return how far to scan from a position; records that end later are scanned later."""
        end = at + WINDOW_BYTES
        return end + 1 if self._content[end - 1 : end] == b"\r" else end

    def _refuse(self, record: Record) -> None:
        _refuse_open_quote(self._content, record, self._place, self._line_end)
        if line_end_at(self._content, record.end) not in (self._line_end, None):
            line = count_lines(self._content, 0, record.end, self._line_end) + 1
            raise mixed_line_ends(Place(self._place.path, line))


def _one_field(record: bytes) -> bytes:
    """Blank a record out, except its line ends."""
    blank = _NO_LINE_END.sub(b"x", record)
    return blank if blank.isalpha() else b'"' + blank[1:-1] + b'"'


def _refuse_open_quote(content: _Bytes, record: Record, place: Place, line_end: LineEnd) -> None:
    if record.opened is None:
        return
    if record.closed is None:
        problem = (
            "a quote opens on this line and is never closed: what it swallowed cannot be known, "
            "and the file may have been cut off"
        )
        remedy = "Deliver the whole file again, or correct the quote"
    elif content.find(last_byte_of(line_end), record.opened, record.closed) >= 0:
        problem = (
            "a quote opens on this line and is not closed properly on it, so that the "
            "records behind it cannot be told apart"
        )
        remedy = "Correct the quote and deliver the file again"
    else:
        return
    line = count_lines(content, 0, record.opened, line_end) + 1
    raise RefusedDeliveryError("quote_left_open", Place(place.path, line), problem, remedy)


def mixed_line_ends(place: Place) -> RefusedDeliveryError:
    """Return the refusal of a file whose lines end in more than one way."""
    return RefusedDeliveryError(
        "mixed_line_ends",
        place,
        "this line does not end as those above it (LF, CRLF, CR), or a field without quotes "
        "holds a carriage return",
        "Export the file again with one kind of line end throughout",
    )


def _behind_spaces(content: _Bytes, at: int) -> int:
    while content[at : at + 1] == b" ":
        at += 1
    return at


def _closing_quote(content: _Bytes, at: int) -> int | None:
    while True:
        quote = content.find(b'"', at)
        if quote < 0:
            return None
        if content[quote + 1 : quote + 2] != b'"':
            return quote
        at = quote + 2


def _line_end(content: _Bytes, at: int) -> int:
    found = _LINE_END.search(content, at)
    return len(content) if found is None else found.start()
