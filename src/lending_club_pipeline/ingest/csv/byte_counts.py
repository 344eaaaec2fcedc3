"""Count the physical lines of a file from its bytes, independently of any CSV parser."""

import contextlib
import gzip
import hashlib
import os
import re
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias, cast

from lending_club_pipeline.contract.errors import Place, RefusedDeliveryError
from lending_club_pipeline.contract.source_files import Compression
from lending_club_pipeline.ingest.csv.lines import LineEnd
from lending_club_pipeline.ingest.deliveries.delivery_folders import DeliveredFile
from lending_club_pipeline.storage.inputs import fetch, is_as_listed
from lending_club_pipeline.storage.object_paths import ChangedError, ObjectPath

_CHUNK: Final = 2**22
_SEVERAL: Final = {end: re.compile(end + end + b"+") for end in (b"\n", b"\r")}
BOM: Final = b"\xef\xbb\xbf"

# Inode, size, time of the last change.
FileIdentity: TypeAlias = tuple[int, int, int]
_CHANGED: Final = (
    "this file changed while it was read",
    "Run again when it has been delivered as a whole",
)


@dataclass
class LineCount:
    """Lines that end in one byte.

    Attributes:
        end: that byte.
        lines: their number; the end of the file ends a line, too.
        empty_lines: lines without a character.
    """

    end: bytes
    lines: int = 0
    empty_lines: int = 0
    _at_line_start: bool = field(default=True, repr=False)

    def add(self, chunk: bytes) -> None:
        """Count a further piece of the text, in which a CRLF is one byte."""
        if not chunk:
            return
        if self.end not in chunk:
            self._at_line_start = False
            return
        if self._at_line_start and chunk.startswith(self.end):
            self.empty_lines += 1
        # `count` would miss a third line end in a row.
        several = _SEVERAL[self.end].finditer(chunk)
        self.empty_lines += sum(it.end() - it.start() - 1 for it in several)
        self.lines += chunk.count(self.end)
        self._at_line_start = chunk.endswith(self.end)

    def finish(self) -> None:
        """Count the line that the end of the file ends."""
        self.lines += not self._at_line_start


@dataclass
class ByteCounts:
    """Facts from the bytes of a file, independent of any parser.

    Attributes:
        stored_bytes: size of the file as stored, compressed or not.
        sha256: SHA-256 of the file as stored.
        text_bytes: size of the text.
        is_empty: it has only line ends.
        is_last_line_ended: it is empty, or its last line has a line end.
        line_ends: kinds of line ends that occur, inside quotes too.
        has_quotes: there is a double quote somewhere.
        identity: differs if the file is no longer the one that was read.
    """

    stored_bytes: int = 0
    sha256: str = ""
    text_bytes: int = 0
    is_empty: bool = True
    is_last_line_ended: bool = True
    line_ends: set[LineEnd] = field(default_factory=set)
    has_quotes: bool = False
    identity: FileIdentity | None = None
    _by_feed: LineCount = field(default_factory=lambda: LineCount(b"\n"), repr=False)
    _by_return: LineCount = field(default_factory=lambda: LineCount(b"\r"), repr=False)
    _held_return: bool = field(default=False, repr=False)

    def lines_by(self, line_end: LineEnd | None) -> LineCount:
        """Return the physical lines of a file whose records have this line end."""
        return self._by_return if line_end == "CR" else self._by_feed

    def add(self, chunk: bytes) -> None:
        """Count a further piece of the text."""
        if self.text_bytes == 0:
            chunk = chunk.removeprefix(BOM)
        self.text_bytes += len(chunk)
        self.has_quotes = self.has_quotes or b'"' in chunk
        self.is_empty = self.is_empty and not chunk.strip(b"\r\n")
        if chunk:
            self.is_last_line_ended = chunk.endswith((b"\r", b"\n"))
        self._by_return.add(chunk)
        if self._held_return:
            chunk = b"\r" + chunk
        self._held_return = chunk.endswith(b"\r")
        if self._held_return:
            chunk = chunk[:-1]
        self._count(chunk)

    def finish(self) -> None:
        """Count the line that the end of the file ends."""
        if self._held_return:
            self._count(b"\r")
            self._held_return = False
        self._by_feed.finish()
        self._by_return.finish()

    def _count(self, chunk: bytes) -> None:
        self.line_ends |= _kinds_of_line_ends(chunk)
        self._by_feed.add(chunk.replace(b"\r\n", b"\n") if b"\r" in chunk else chunk)


def _kinds_of_line_ends(chunk: bytes) -> set[LineEnd]:
    pairs = chunk.count(b"\r\n") if b"\r" in chunk else 0
    kinds: set[LineEnd] = {"CRLF"} if pairs else set()
    # Without a pair of both, the first match decides, which costs nothing.
    if chunk.count(b"\n") > pairs if pairs else b"\n" in chunk:
        kinds.add("LF")
    if chunk.count(b"\r") > pairs if pairs else b"\r" in chunk:
        kinds.add("CR")
    return kinds


def line_that_ends_otherwise(plain: Path) -> int | None:
    """Return the first physical line whose end (LF, CRLF, CR) is not that of line 1."""
    first = ""
    # Every byte is a character of Latin-1, and no line end is translated.
    with plain.open(encoding="latin-1", newline="") as text:
        for number, line in enumerate(text, start=1):
            end = line[len(line.rstrip("\r\n")) :]
            first = first or end
            if end not in (first, ""):
                return number
    return None


def count_bytes(delivered: DeliveredFile, plain_copy: Path) -> tuple[ByteCounts, Path]:
    """Read a delivered file once: count its lines and take its checksum.

    Args:
        delivered: the file.
        plain_copy: where to write the text of a compressed file for the parser.

    Returns:
        The counts and the path of the plain text, which is the file itself if not compressed.

    Raises:
        RefusedDeliveryError: the file is unreadable, truncated, or not a file.
    """
    counts = ByteCounts()
    digest = hashlib.sha256()
    with _refusing(delivered):
        _refuse_if_no_file(delivered)
    here = _fetched(delivered, plain_copy.with_name(f"{plain_copy.stem}.fetched.csv"))
    with _refusing(delivered), here.open("rb") as stored:
        counts.identity = _identity(os.fstat(stored.fileno()))
        for chunk in iter(lambda: stored.read(_CHUNK), b""):
            digest.update(chunk)
            counts.stored_bytes += len(chunk)
            if delivered.compression == "none":
                counts.add(chunk)
    counts.sha256 = digest.hexdigest()
    plain = here
    if delivered.compression != "none":
        plain = plain_copy
        with plain.open("wb") as copy:
            for chunk in _decompressed(delivered, here):
                counts.add(chunk)
                copy.write(chunk)
    counts.finish()
    return counts, plain


def _fetched(delivered: DeliveredFile, copy: Path) -> Path:
    """Return where a file is on this machine. A full disk is not an error of the file."""
    try:
        return fetch(delivered.path, copy)
    except (ChangedError, FileNotFoundError):
        with _refusing(delivered):
            raise


def is_as_it_was_read(delivered: DeliveredFile, counts: ByteCounts) -> bool:
    """Return whether nobody has changed, replaced or removed a file since it was counted."""
    try:
        if isinstance(delivered.path, ObjectPath):
            return is_as_listed(delivered.path)
        return _identity(delivered.path.stat()) == counts.identity
    except OSError:
        return False


def _identity(known: os.stat_result) -> FileIdentity:
    return known.st_ino, known.st_size, known.st_mtime_ns


def _decompressed(delivered: DeliveredFile, here: Path) -> Iterator[bytes]:
    with _refusing(delivered), _unpacking(here, delivered.compression) as stream:
        yield from iter(lambda: stream.read(_CHUNK), b"")


def _unpacking(path: Path, compression: Compression) -> BinaryIO:
    if compression == "gz":
        return cast("BinaryIO", gzip.open(path, "rb"))
    import pyarrow as pa  # noqa: PLC0415 - only a .zst delivery pays for it

    return cast("BinaryIO", pa.input_stream(str(path), compression="zstd"))


def _refuse_if_no_file(delivered: DeliveredFile) -> None:
    # Opening a pipe would wait for a writer forever.
    mode = delivered.path.stat().st_mode
    if not stat.S_ISREG(mode):
        raise RefusedDeliveryError(
            "not_a_file",
            Place(delivered.path),
            f"this is {'a folder' if stat.S_ISDIR(mode) else 'a device or a pipe'}, not a file",
            f"Put the file {delivered.source.name} in its place",
        )


@contextlib.contextmanager
def _refusing(delivered: DeliveredFile) -> Iterator[None]:
    """Turn errors of the operating system or of a decompressor into a refusal."""
    place = Place(delivered.path)
    try:
        yield
    except PermissionError:
        raise RefusedDeliveryError(
            "file_unreadable",
            place,
            "this file may not be read",
            "Give the user who runs the pipeline the right to read it",
        ) from None
    except FileNotFoundError:
        raise RefusedDeliveryError(
            "file_missing",
            place,
            "this file is gone, or is a broken link",
            "Deliver it again",
        ) from None
    except ChangedError:
        raise changed_meanwhile(delivered) from None
    except (EOFError, zlib.error, OSError) as error:
        # Decompressors raise OSError too, but without a number of the operating system.
        if isinstance(error, OSError) and error.errno is not None:
            raise RefusedDeliveryError(
                "file_unreadable",
                place,
                f"this file cannot be read ({error.strerror})",
                "Check its disk or link, and deliver it again",
            ) from None
        raise RefusedDeliveryError(
            "file_truncated",
            place,
            f"the .{delivered.compression} file is truncated ({error})",
            "It was cut off or damaged during the transfer: deliver it again",
        ) from None


def changed_meanwhile(delivered: DeliveredFile) -> RefusedDeliveryError:
    """Return the refusal of a file that is no longer the one that was found."""
    return RefusedDeliveryError("file_changed", Place(delivered.path), *_CHANGED)
