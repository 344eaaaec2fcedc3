"""Physical lines: only the line end of the file's records ends a line.

A lone CR in a file of LF or CRLF is text, and so is an LF in a file of CR. `sed -n` and editors
number lines in the same way.
"""

from typing import Final, Literal, Protocol

LineEnd = Literal["LF", "CRLF", "CR"]

_PIECE: Final = 2**21


class _Sliced(Protocol):
    def __getitem__(self, part: slice, /) -> bytes: ...


def last_byte_of(line_end: LineEnd | None) -> bytes:
    """Return the byte that ends a line; for CRLF it is the LF.

    Args:
        line_end: line end of the file's records, or None if a single record has no line end.
    """
    return b"\r" if line_end == "CR" else b"\n"


def lines_of(record: bytes, line_end: LineEnd | None) -> list[bytes]:
    """Return the physical lines of a record, without their ends."""
    if line_end != "CR":
        record = record.replace(b"\r\n", b"\n")
    return record.split(last_byte_of(line_end))


def count_lines(content: _Sliced, start: int, end: int, line_end: LineEnd | None) -> int:
    """Count the lines that end between two positions."""
    byte, pieces = last_byte_of(line_end), range(start, end, _PIECE)
    return sum(content[at : min(end, at + _PIECE)].count(byte) for at in pieces)
