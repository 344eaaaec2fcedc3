"""Read the header of a file and find the required columns in it."""

import csv
import io
import string
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lending_club_pipeline.contract.errors import Place, RefusedDeliveryError
from lending_club_pipeline.contract.locations import Location
from lending_club_pipeline.contract.source_files import SourceFile
from lending_club_pipeline.ingest.csv.byte_counts import BOM
from lending_club_pipeline.ingest.csv.lines import LineEnd, lines_of
from lending_club_pipeline.ingest.csv.quotes import Record, fields_of, line_end_at, record_at
from lending_club_pipeline.ingest.csv.white_space import WHITE_SPACE

_LONGEST_RECORD: Final = 2 * 2**20
_OTHER_DELIMITERS: Final = {";": "semicolon", "\t": "tab", "|": "vertical bar"}
_LONGEST_SHOWN_NAME: Final = 40
# First bytes of compressed files (RFC 1952, RFC 8878), and the endings of their names.
_COMPRESSED: Final = {b"\x1f\x8b": ("gzip", ".gz"), b"\x28\xb5\x2f\xfd": ("zstd", ".zst")}
_ARCHIVES: Final = {
    b"PK\x03\x04": "a ZIP archive or a workbook",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"\xfd7zXZ\x00": "compressed by xz",
    b"BZh": "compressed by bzip2",
}
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_ASCII_LOWER: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


@dataclass(frozen=True)
class Header:
    """The header of a file, and the positions of the required columns.

    Attributes:
        names: column names as delivered, trimmed.
        positions: position in `names` of each required column, in the declared order.
        line: physical line on which the header begins.
        lines: physical lines that it takes.
        empty_lines: how many of these lines are empty.
        line_end: its line end, or None if the file ends with it.
    """

    names: tuple[str, ...]
    positions: tuple[int, ...]
    line: int
    lines: int
    empty_lines: int
    line_end: LineEnd | None

    @property
    def extra_positions(self) -> tuple[int, ...]:
        """Positions of the extra columns."""
        return tuple(at for at in range(len(self.names)) if at not in self.positions)

    @property
    def extra_columns(self) -> tuple[str, ...]:
        """Extra columns: accepted, not landed, named in the metadata."""
        return tuple(self.names[at] for at in self.extra_positions)


def read_header(plain: Path, named: Location, source: SourceFile) -> Header:
    """Read the first record of a file and match it with the required columns.

    Args:
        plain: the text of the file.
        named: the path for errors (the file as delivered, perhaps compressed).
        source: the kind of file.

    Raises:
        RefusedDeliveryError: the file is empty, compressed or not UTF-8, its delimiter is not
            a comma, a required column is missing, or a name appears twice.
    """
    with plain.open("rb") as file:
        start = file.read(_LONGEST_RECORD)
    _refuse_compressed(start, Place(named))
    _refuse_other_encodings(start, Place(named))
    content = start.removeprefix(BOM).lstrip(b"\r\n")
    above = start.removeprefix(BOM)[: -len(content) or None]
    line = max(above.count(b"\r"), above.count(b"\n")) + 1
    place = Place(named, line=line)
    text = content.decode("utf-8", "surrogateescape")
    if not text:
        raise RefusedDeliveryError(
            "file_empty", Place(named), "this file is empty", "Deliver the whole extract again"
        )
    first_line = text.splitlines()[0]
    _refuse_undecodable([first_line], place)
    _refuse_other_delimiters(text, first_line, source, place)
    record = record_at(content, 0)
    _refuse_broken(record, place)
    names = [
        name.decode("utf-8", "surrogateescape").strip(WHITE_SPACE)
        for name in fields_of(content[: record.end])
    ]
    _refuse_undecodable(names, place)
    keys = [_key(name) for name in names]
    _refuse_no_header(keys, source, place)
    _refuse_duplicates(names, keys, place)
    _refuse_missing(names, keys, source, place)
    positions = tuple(keys.index(_key(column)) for column in source.columns)
    line_end = line_end_at(content, record.end)
    lines = lines_of(content[: record.end], line_end)
    return Header(tuple(names), positions, line, len(lines), lines.count(b""), line_end)


def _key(name: str) -> str:
    return name.translate(_ASCII_LOWER)


def _refuse_broken(record: Record, place: Place) -> None:
    if record.is_broken:
        raise RefusedDeliveryError(
            "header_broken",
            place,
            "the header has a quote that is never closed, or text after a closing quote",
            "Correct the header and deliver the file again",
        )


def _unquoted(name: str) -> str:
    # Python's reader keeps the quotes of a quoted field after spaces.
    if len(name) > 1 and name.startswith('"') and name.endswith('"'):
        return name[1:-1].replace('""', '"').strip(WHITE_SPACE)
    return name


def _refuse_undecodable(names: list[str], place: Place) -> None:
    if any("\udc80" <= character <= "\udcff" for name in names for character in name):
        raise RefusedDeliveryError(
            "header_not_utf8",
            place,
            "the header is not valid UTF-8",
            "Save the file as UTF-8 and deliver it again",
        )


def _refuse_compressed(start: bytes, place: Place) -> None:
    for mark, (name, suffix) in _COMPRESSED.items():
        if start.startswith(mark):
            raise RefusedDeliveryError(
                "compressed",
                place,
                f"the content of this file is compressed by {name}",
                f"Let its name end with .csv{suffix}, and compress it no more than once",
            )
    for mark, name in _ARCHIVES.items():
        if start.startswith(mark):
            raise RefusedDeliveryError(
                "compressed",
                place,
                f"this is {name}, not a CSV file",
                "Unpack it, or save it as CSV; .csv.gz and .csv.zst are read as they are",
            )


def _refuse_other_encodings(start: bytes, place: Place) -> None:
    # Without a mark: every other byte of a header in UTF-16 is zero, the first or the second.
    head = start.lstrip(b"\r\n")[:64].partition(b"\n")[0]
    zeros = max(head[::2].count(0), head[1::2].count(0))
    if start.startswith(_UTF16_MARKS) or (zeros and zeros >= len(head) // 4):
        raise RefusedDeliveryError(
            "not_utf8",
            place,
            "this file is UTF-16 or UTF-32, not UTF-8",
            "Save it as UTF-8 and deliver it again",
        )


def _refuse_other_delimiters(text: str, first_line: str, source: SourceFile, place: Place) -> None:
    required = set(map(_key, source.columns))
    if required <= _keys_if_split(text, ","):
        return
    for delimiter, word in _OTHER_DELIMITERS.items():
        is_alone = delimiter in first_line and "," not in first_line
        if is_alone or required <= _keys_if_split(text, delimiter):
            raise RefusedDeliveryError(
                "wrong_delimiter",
                place,
                f"fields are separated by a {word}, not by a comma",
                "Export the file again with commas",
            )


def _keys_if_split(text: str, delimiter: str) -> set[str]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return {_key(_unquoted(name.strip(WHITE_SPACE))) for name in next(reader)}
    except csv.Error:
        return set()


def _refuse_no_header(keys: list[str], source: SourceFile, place: Place) -> None:
    # Then the first line is a record, which an error must not show.
    if not set(map(_key, source.columns)) & set(keys):
        raise RefusedDeliveryError(
            "column_missing",
            place,
            f"this line is not a header: it has none of {', '.join(source.columns)}",
            "Put a header above the records, with these columns in any order",
        )


def _refuse_duplicates(names: list[str], keys: list[str], place: Place) -> None:
    for name, key in zip(names, keys, strict=True):
        if key and keys.count(key) > 1:
            raise RefusedDeliveryError(
                "column_duplicate",
                Place(place.path, place.line, " ".join(name.split())[:_LONGEST_SHOWN_NAME]),
                f"{keys.count(key)} columns have this name, and it is not clear which one counts",
                "Leave only one of them",
            )


def _refuse_missing(names: list[str], keys: list[str], source: SourceFile, place: Place) -> None:
    missing = [column for column in source.columns if _key(column) not in keys]
    if missing:
        raise RefusedDeliveryError(
            "column_missing",
            Place(place.path, place.line, missing[0]),
            f"the header has no {', '.join(missing)}; it has {_shown(names)}",
            f"A header needs {', '.join(source.columns)}, in any order",
        )


def _shown(names: list[str]) -> str:
    # The line may be a record instead of a header: show only the length of a column name.
    short = [name for name in names if len(name) <= _LONGEST_SHOWN_NAME and name.isidentifier()]
    others = len(names) - len(short)
    return ", ".join(short[:20] + ([f"{others} other columns"] if others else []))
