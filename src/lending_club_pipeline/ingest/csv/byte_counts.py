"""Count the physical lines of a file from its bytes, apart from any CSV parser."""

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
from typing import BinaryIO, Final, Literal, TypeAlias, cast

from lending_club_pipeline.contract.errors import Place, RefusedDeliveryError
from lending_club_pipeline.ingest.deliveries.discovery import Compression, DeliveredFile

_CHUNK: Final = 2**22
_LINE_FEED_AFTER_LINE_FEED: Final = re.compile(rb"\n(?=\n)")
BOM: Final = b"\xef\xbb\xbf"

LineEnd = Literal["LF", "CRLF", "CR"]

# Inode, size, time of the last change.
FileIdentity: TypeAlias = tuple[int, int, int]


@dataclass
class ByteCounts:
    """What the bytes of a file say, whatever a parser makes of them.

    Attributes:
        stored_bytes: size of the file as stored, compressed or not.
        sha256: SHA-256 of the file as stored.
        text_bytes: size of the text.
        lines: physical lines; LF, CRLF and CR each end one, and so does the end of the file.
        empty_lines: lines without a character.
        leading_empty_lines: empty lines before the first other one.
        line_ends: kinds of line ends that occur, inside quotes too.
        has_quotes: there is a double quote somewhere.
        identity: tells whether a file is still the one that was read.
    """

    stored_bytes: int = 0
    sha256: str = ""
    text_bytes: int = 0
    lines: int = 0
    empty_lines: int = 0
    leading_empty_lines: int = 0
    line_ends: set[LineEnd] = field(default_factory=set)
    has_quotes: bool = False
    identity: FileIdentity | None = None
    _at_line_start: bool = field(default=True, repr=False)
    _held_return: bool = field(default=False, repr=False)

    def add(self, chunk: bytes) -> None:
        """Count a further piece of the text."""
        if self.text_bytes == 0:
            chunk = chunk.removeprefix(BOM)
        self.text_bytes += len(chunk)
        self.has_quotes = self.has_quotes or b'"' in chunk
        if self._held_return:
            chunk = b"\r" + chunk
        self._held_return = chunk.endswith(b"\r")
        if self._held_return:
            chunk = chunk[:-1]
        self.line_ends |= _kinds_of_line_ends(chunk)
        self._count(_as_line_feeds(chunk))

    def finish(self) -> None:
        """Count what the end of the file ends."""
        if self._held_return:
            self.line_ends.add("CR")
            self._count(b"\n")
            self._held_return = False
        if not self._at_line_start:
            self.lines += 1

    def _count(self, chunk: bytes) -> None:
        if not chunk:
            return
        empty_before = self.empty_lines
        if self._at_line_start and chunk.startswith(b"\n"):
            self.empty_lines += 1
        if b"\n\n" in chunk:
            self.empty_lines += sum(1 for _ in _LINE_FEED_AFTER_LINE_FEED.finditer(chunk))
        if self.lines == empty_before == self.leading_empty_lines and self._at_line_start:
            self.leading_empty_lines += len(chunk) - len(chunk.lstrip(b"\n"))
        self.lines += chunk.count(b"\n")
        self._at_line_start = chunk.endswith(b"\n")


def _kinds_of_line_ends(chunk: bytes) -> set[LineEnd]:
    pairs = chunk.count(b"\r\n") if b"\r" in chunk else 0
    kinds: set[LineEnd] = {"CRLF"} if pairs else set()
    # Without a pair the first one found decides, which costs nothing.
    if chunk.count(b"\n") > pairs if pairs else b"\n" in chunk:
        kinds.add("LF")
    if chunk.count(b"\r") > pairs if pairs else b"\r" in chunk:
        kinds.add("CR")
    return kinds


def _as_line_feeds(chunk: bytes) -> bytes:
    if b"\r" not in chunk:
        return chunk
    return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


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
        plain_copy: where the text of a compressed file is put, for the parser to read.

    Returns:
        The counts and the path of the plain text, which is the file itself if not compressed.

    Raises:
        RefusedDeliveryError: the file is unreadable, no file, or truncated.
    """
    counts = ByteCounts()
    digest = hashlib.sha256()
    with _refusing(delivered):
        _refuse_if_no_file(delivered)
    with _refusing(delivered), delivered.path.open("rb") as stored:
        counts.identity = _identity(os.fstat(stored.fileno()))
        for chunk in iter(lambda: stored.read(_CHUNK), b""):
            digest.update(chunk)
            counts.stored_bytes += len(chunk)
            if delivered.compression == "none":
                counts.add(chunk)
    counts.sha256 = digest.hexdigest()
    plain = delivered.path
    if delivered.compression != "none":
        plain = plain_copy
        with plain.open("wb") as copy:
            for chunk in _decompressed(delivered):
                counts.add(chunk)
                copy.write(chunk)
    counts.finish()
    return counts, plain


def is_as_it_was_read(delivered: DeliveredFile, counts: ByteCounts) -> bool:
    """Return whether nobody has changed, replaced or removed a file since it was counted."""
    try:
        return _identity(delivered.path.stat()) == counts.identity
    except OSError:
        return False


def _identity(known: os.stat_result) -> FileIdentity:
    return known.st_ino, known.st_size, known.st_mtime_ns


def _decompressed(delivered: DeliveredFile) -> Iterator[bytes]:
    with _refusing(delivered), _unpacking(delivered.path, delivered.compression) as stream:
        yield from iter(lambda: stream.read(_CHUNK), b"")


def _unpacking(path: Path, compression: Compression) -> BinaryIO:
    if compression == "gz":
        return cast("BinaryIO", gzip.open(path, "rb"))
    import pyarrow as pa  # noqa: PLC0415 - only a .zst delivery pays for it

    return cast("BinaryIO", pa.input_stream(str(path), compression="zstd"))


def _refuse_if_no_file(delivered: DeliveredFile) -> None:
    # Opening a pipe, say, would wait for a writer for ever.
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
    """Turn what the operating system or a decompressor says into a refusal."""
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
            "this file is gone, or is a link to nothing",
            "Deliver it again",
        ) from None
    except (EOFError, zlib.error, OSError) as error:
        # Decompressors raise OSError too, but without a number of the operating system.
        if isinstance(error, OSError) and error.errno is not None:
            raise RefusedDeliveryError(
                "file_unreadable",
                place,
                f"this file cannot be read ({error.strerror})",
                "Check its disk, or the link that it is, and deliver it again",
            ) from None
        raise RefusedDeliveryError(
            "file_truncated",
            place,
            f"this is no whole .{delivered.compression} file ({error})",
            "It was cut off or damaged on its way: deliver it again",
        ) from None


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as it is stored."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
