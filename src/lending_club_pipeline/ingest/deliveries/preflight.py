"""Check a file before it is split: most reasons for a refusal show without the parser."""

from pathlib import Path

from lending_club_pipeline.contract.errors import Place, RefusedDeliveryError
from lending_club_pipeline.ingest.csv import quotes
from lending_club_pipeline.ingest.csv.byte_counts import ByteCounts, line_that_ends_otherwise
from lending_club_pipeline.ingest.csv.headers import Header, read_header
from lending_club_pipeline.ingest.deliveries.delivery_folders import DeliveredFile


def check_file(file: DeliveredFile, counts: ByteCounts, plain: Path) -> Header:
    """Refuse a file as landing does, without splitting it, and write nothing.

    Only landing finds parser errors and differences from control totals.

    Args:
        file: the file as delivered.
        counts: counts of its bytes.
        plain: its text.

    Returns:
        Its header.

    Raises:
        RefusedDeliveryError: the file is empty or has no record, its header cannot be used, its
            lines end in several ways, or a quote is left open.
    """
    header = header_of(file, counts, plain)
    refuse_mixed_line_ends(file, counts, plain)
    if counts.has_quotes:
        place = Place(file.path)
        quotes.check(plain, place, header.line_end, is_uniform=is_uniform(counts))
    return header


def header_of(file: DeliveredFile, counts: ByteCounts, plain: Path) -> Header:
    """Read the header of a file that has at least one record below it; see `check_file`."""
    _refuse_if_empty(file, counts)
    header = read_header(plain, file.path, file.source)
    _refuse_without_record(file, counts, header)
    return header


def is_uniform(counts: ByteCounts) -> bool:
    """Whether all lines of a file have the same line end, also inside quotes."""
    return len(counts.line_ends) <= 1


def refuse_mixed_line_ends(file: DeliveredFile, counts: ByteCounts, plain: Path) -> None:
    """Refuse a file without quotes that has several kinds of line ends.

    In a file with quotes, `quotes.py` checks the ends of its records.
    """
    if not is_uniform(counts) and not counts.has_quotes:
        raise quotes.mixed_line_ends(Place(file.path, line_that_ends_otherwise(plain)))


def _refuse_if_empty(file: DeliveredFile, counts: ByteCounts) -> None:
    if counts.is_empty:
        raise RefusedDeliveryError(
            "file_empty", Place(file.path), "this file is empty", "Deliver the whole extract again"
        )


def _refuse_without_record(file: DeliveredFile, counts: ByteCounts, header: Header) -> None:
    found = counts.lines_by(header.line_end)
    if found.lines - found.empty_lines == header.lines - header.empty_lines:
        raise RefusedDeliveryError(
            "header_only",
            Place(file.path),
            "this file has a header and no record",
            "An extract without a single record is taken for a mistake: deliver it again",
        )
