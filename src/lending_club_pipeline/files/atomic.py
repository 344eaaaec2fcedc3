"""Replace files and folders so that a reader sees the old one or the new one, never a part."""

import contextlib
import ctypes
import errno
import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from lending_club_pipeline.contract.errors import WarehouseError
from lending_club_pipeline.contract.locations import Location
from lending_club_pipeline.files import io_errors
from lending_club_pipeline.files.processes import has_ended, process_label
from lending_club_pipeline.files.sharing import OWNER_ONLY, Sharing, behind_links

_ABANDONED_SECONDS: Final = 3600
OUTPUT_SETTING: Final = "--outputs or OUTPUT_PATH"
_FROM_HERE: Final = -100
_RENAME_EXCHANGE: Final = 2
_CANNOT: Final = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)


@dataclass(frozen=True)
class WrittenFile:
    """A published file.

    Attributes:
        path: its path, or the name of the object.
        size_bytes: its size.
        sha256: its checksum.
        rows: number of its rows, if it has rows.
    """

    path: Location
    size_bytes: int
    sha256: str
    rows: int | None = None


class Publication:
    """Some files that are published together: all of them, or none if one cannot be written.

    Use it as a context manager. If the target is a link, the file behind the link is replaced.

    Args:
        setting: the setting that names another place; errors show it.
        sharing: who may read the files; their owner only by default.
    """

    def __init__(self, setting: str = OUTPUT_SETTING, sharing: Sharing = OWNER_ONLY) -> None:
        self._sharing = sharing
        self._works: dict[Path, Path] = {}
        self._scratch: list[Path] = []
        self._setting = setting

    def temp_path_for(self, target: Path) -> Path:
        """Return an empty temporary file beside `target`, to write to.

        Raises:
            OutputError: the folder cannot be written or the disk is full.
        """
        # Errors here are about the folder, not about the file.
        with explaining(target.parent, self._setting):
            target = behind_links(target)
            self._sharing.make_folder(target.parent)
            _clear_abandoned(target)
            work = target.with_name(f".{target.name}.{process_label()}.tmp")
            os.close(os.open(work, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
            self._works[target] = work
        return work

    def scratch(self, target: Path) -> Path:
        """Return an empty temporary file beside `target` that is removed at the end.

        Raises:
            OutputError: the folder cannot be written or the disk is full.
        """
        work = self.temp_path_for(target)
        self._scratch.append(self._works.pop(behind_links(target)))
        return work

    def fsync(self) -> None:
        """Flush the written files to the disk: the last step that needs space.

        Raises:
            OutputError: the disk is full.
        """
        for target, work in self._works.items():
            with explaining(target, self._setting):
                self._sharing.apply(work)
                _flush(work)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.fsync()
                self._publish()
        finally:
            for work in (*self._works.values(), *self._scratch):
                # On a read-only disk the file stays, and the next run removes it. This error must
                # not hide the one that says why nothing was published.
                with contextlib.suppress(OSError):
                    work.unlink()

    def _publish(self) -> None:
        with contextlib.ExitStack() as kept:
            for target in self._works:
                # The system frees the space of a large file when it is closed. So it is kept open
                # until all files are replaced.
                with contextlib.suppress(OSError):
                    kept.enter_context(target.open("rb"))
            for target, work in self._works.items():
                with explaining(target, self._setting):
                    work.replace(target)
        for folder in {target.parent for target in self._works}:
            _flush(folder)


@contextlib.contextmanager
def replacing(target: Path, setting: str = OUTPUT_SETTING) -> Iterator[Path]:
    """Yield a temporary path to write to; publish it as `target` if the body succeeds.

    If the body fails, `target` stays as it was. Only its owner may read the file.

    Args:
        target: the file to publish.
        setting: the setting that names another place; errors show it.

    Raises:
        OutputError: the folder cannot be written or the disk is full.
    """
    with Publication(setting) as publication:
        work = publication.temp_path_for(target)
        with explaining(target, setting):
            yield work


def describe(path: Path, rows: int | None = None, name: Location | None = None) -> WrittenFile:
    """Take size and checksum of a file.

    Args:
        path: the file.
        rows: number of its rows, if it has rows.
        name: its future path, if it is not published yet.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    return WrittenFile(name or path, path.stat().st_size, digest.hexdigest(), rows)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_abandoned(work: Path, label: str) -> bool:
    """Return whether a run that was killed left a temporary file or folder.

    Args:
        work: the file, or the folder of files.
        label: the label of its process; see `process_label`. The process of another machine is
            taken for ended if nothing was written for an hour.
    """
    files = (work, *work.iterdir()) if work.is_dir() else (work,)
    newest = max(file.stat().st_mtime for file in files)
    return has_ended(label) or time.time() - newest > _ABANDONED_SECONDS


def _clear_abandoned(target: Path) -> None:
    ours = f".{target.name}.*.tmp"
    # DuckDB writes to its own temporary file before it replaces a file.
    for work in (*target.parent.glob(ours), *target.parent.glob(f"tmp_{ours}")):
        # Another process may remove it, or publish it, meanwhile.
        with contextlib.suppress(FileNotFoundError):
            if is_abandoned(work, work.name.removesuffix(".tmp").rpartition(".")[2]):
                work.unlink()


@contextlib.contextmanager
def explaining(target: Path, setting: str = OUTPUT_SETTING) -> Iterator[None]:
    """Turn an error while `target` is written into one with a remedy.

    Args:
        target: the file to publish.
        setting: the setting that names another place; errors show it.

    Raises:
        OutputError: the folder cannot be written or the disk is full.
    """
    try:
        with io_errors.explaining(target, setting):
            yield
    except WarehouseError as error:
        # The engine writes outputs, too: then the disk of the outputs is full, not the database's.
        if "disk is full" in str(error):
            raise io_errors.full(target) from error
        raise


def swap(first: Path, second: Path) -> bool:
    """Swap two folders of one file system atomically: both names exist at every moment.

    Returns:
        False if the operating system (macOS) or the file system cannot; nothing has changed then.

    Raises:
        OSError: one of them is missing, or may not be renamed.
    """
    # Python has no function for it; the C libraries of Linux do.
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    paths = (os.fsencode(first), os.fsencode(second))
    if rename(_FROM_HERE, paths[0], _FROM_HERE, paths[1], _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT:
        return False
    raise OSError(number, os.strerror(number), str(first))
