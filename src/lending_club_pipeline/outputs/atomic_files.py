"""Write a file so that a reader sees the old one or the new one, never a part."""

import contextlib
import errno
import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lending_club_pipeline.errors import OutputError, PipelineError
from lending_club_pipeline.processes import is_running

_CHUNK: Final = 2**22
_OWNER_ONLY: Final = 0o600
_ABANDONED_SECONDS: Final = 3600


@dataclass(frozen=True)
class WrittenFile:
    """A published file.

    Attributes:
        path: where it is.
        size_bytes: its size.
        sha256: its checksum.
        rows: rows in it, where it has rows.
    """

    path: Path
    size_bytes: int
    sha256: str
    rows: int | None = None


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a temporary path to write to; publish it as `target` if the body succeeds.

    The file is readable by its owner only. A failed body leaves `target` as it was.

    Raises:
        OutputError: the folder cannot be written or the disk is full.
    """
    with _explaining(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        _clear_abandoned(target)
        work = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        try:
            os.close(os.open(work, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, _OWNER_ONLY))
            yield work
            work.chmod(_OWNER_ONLY)
            _flush(work)
            work.replace(target)
            _flush(target.parent)
        finally:
            work.unlink(missing_ok=True)


def describe(path: Path, rows: int | None = None) -> WrittenFile:
    """Take size and checksum of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(_CHUNK), b""):
            digest.update(chunk)
    return WrittenFile(path, path.stat().st_size, digest.hexdigest(), rows)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _clear_abandoned(target: Path) -> None:
    """Remove what killed runs left behind; a run of this moment may still be writing."""
    for work in target.parent.glob(f".{target.name}.*.tmp"):
        pid = work.name.removesuffix(".tmp").rpartition(".")[2]
        is_old = time.time() - work.stat().st_mtime > _ABANDONED_SECONDS
        if is_old or not (pid.isdecimal() and is_running(int(pid))):
            work.unlink(missing_ok=True)


@contextlib.contextmanager
def _explaining(target: Path) -> Iterator[None]:
    try:
        yield
    except PipelineError as error:
        if "disk is full" in str(error):
            raise _full(target) from error
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise _full(target) from error
        raise OutputError(
            f"{target}: this output cannot be written ({os.strerror(error.errno or 0)}). "
            "Give the user who runs the pipeline the right to write there, or name another "
            "folder by --outputs or OUTPUT_PATH. The last good outputs are unchanged."
        ) from error


def _full(target: Path) -> OutputError:
    return OutputError(
        f"{target}: the disk is full. Free some space and run again. "
        "The last good outputs are unchanged."
    )
