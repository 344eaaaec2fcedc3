"""Split a control file into its rows, by the quoting rules of the other files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lending_club_pipeline.contract.errors import Place, RefusedDeliveryError
from lending_club_pipeline.contract.source_files import CONTROL
from lending_club_pipeline.ingest.csv.byte_counts import BOM, ByteCounts
from lending_club_pipeline.ingest.csv.headers import Header, read_header
from lending_club_pipeline.ingest.csv.quotes import fields_of, record_at
from lending_club_pipeline.ingest.csv.white_space import WHITE_SPACE
from lending_club_pipeline.ingest.deliveries.delivery_folders import DeliveredFile

# Two rows need far less; a larger file is not a control file.
_LARGEST_BYTES: Final = 2**20


@dataclass(frozen=True)
class ControlRow:
    """A row of a control file, its fields without white space around them."""

    place: Place
    file: str
    records: str
    sum_of_balances: str
    business_date: str


def read_rows(control: DeliveredFile, counts: ByteCounts, plain: Path) -> Iterator[ControlRow]:
    """Return the rows of a control file.

    Args:
        control: the file as delivered.
        counts: counts of its bytes.
        plain: its text.

    Raises:
        RefusedDeliveryError: it is too large, or its header or a row cannot be read.
    """
    if counts.text_bytes > _LARGEST_BYTES:
        raise _unreadable(Place(control.path), "it is far larger than a control file can be")
    header = read_header(plain, control.path, CONTROL)
    content = plain.read_bytes().removeprefix(BOM)
    line, is_header = 1, True
    at = 0
    while at < len(content):
        if content[at : at + 1] in b"\r\n":
            line += content[at : at + 2] != b"\r\n"
            at += 1
            continue
        record = record_at(content, at)
        place = Place(control.path, line=line)
        if record.is_broken:
            raise _unreadable(place, "a quote is not closed properly on this line")
        text = content[record.start : record.end]
        if not is_header:
            yield _row(text, header, place)
        is_header = False
        line += len(text.splitlines()) - 1
        at = record.end


def _row(text: bytes, header: Header, place: Place) -> ControlRow:
    fields = fields_of(text)
    if len(fields) != len(header.names):
        raise _unreadable(
            place, f"this row has {len(fields)} fields, the header {len(header.names)}"
        )
    try:
        taken = [fields[at].decode().strip(WHITE_SPACE) for at in header.positions]
    except UnicodeDecodeError:
        raise _unreadable(place, "this row is not valid UTF-8") from None
    return ControlRow(place, *taken)


def _unreadable(place: Place, problem: str) -> RefusedDeliveryError:
    return RefusedDeliveryError(
        "control_unreadable",
        place,
        problem,
        "Correct the control file and deliver it again, or deliver none",
    )
