"""Lock files: one run at a time; the file names the process that holds it."""

import fcntl
import json
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

from lending_club_pipeline.contract.errors import WarehouseLockedError
from lending_club_pipeline.files.io_errors import explaining

POLL_SECONDS: Final = 0.2

logger = logging.getLogger(__name__)


class LockWait:
    """A wait for another holder of a lock, which ends at a deadline.

    Args:
        place: the locked database or schema.
        seconds: how long to wait for it.
    """

    def __init__(self, place: str, seconds: float) -> None:
        self._place = place
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._reported = ""

    @property
    def is_over(self) -> bool:
        """Whether the deadline has passed."""
        return self.left <= 0

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return max(0.0, self._deadline - time.monotonic())

    def report(self, holder: str) -> None:
        """Log the holder once; again only if the holder changes."""
        if holder != self._reported:
            logger.warning(
                "%s: waiting for %s to end, %g s at most.", self._place, holder, self._seconds
            )
        self._reported = holder


@contextmanager
def exclusive_lock(path: Path, wait_seconds: float) -> Iterator[None]:
    """Hold the lock file `path` while the body runs.

    The operating system releases it when the process ends in any way.

    Args:
        path: the lock file; it is made if missing and stays afterwards.
        wait_seconds: how long to wait for another holder.

    Raises:
        WarehouseLockedError: another process still holds it; the error names the process.
        OutputError: the lock file cannot be written.
    """
    with _opened(path) as file:
        waiting = LockWait(str(path.with_suffix("")), wait_seconds)
        while not _try_lock(file.fileno()):
            if waiting.is_over:
                raise WarehouseLockedError(_held_by(path, wait_seconds))
            waiting.report(_holder(path))
            time.sleep(POLL_SECONDS)
        file.seek(0)
        file.truncate()
        json.dump({"pid": os.getpid(), "command": Path(sys.argv[0]).name}, file)
        file.flush()
        try:
            yield
        finally:
            file.seek(0)
            file.truncate()


def _opened(path: Path) -> TextIO:
    with explaining(path, "DUCKDB_PATH"):
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a+")


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(path: Path) -> str:
    try:
        known = json.loads(path.read_text())
        return f"process {known['pid']} ({known['command']})"
    except (ValueError, KeyError, OSError):
        return "another process"


def _held_by(path: Path, wait_seconds: float) -> str:
    waited = f" for longer than {wait_seconds:g} s" if wait_seconds else ""
    return (
        f"{path.with_suffix('')}: {_holder(path)} is using this database{waited}. "
        "Wait for it to end, let this run wait by LOCK_WAIT_SECONDS (or --wait), or stop it."
    )
