"""The file of a DuckDB database: how it is opened, and its errors with remedies."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from lending_club_pipeline.contract.errors import (
    NotLandedError,
    WarehouseError,
    WarehouseLockedError,
)
from lending_club_pipeline.files.io_errors import damaged, is_damaged, is_full, out_of_memory
from lending_club_pipeline.files.locks import POLL_SECONDS, LockWait
from lending_club_pipeline.files.plain_paths import plain_file

_LOCK_HOLDER: Final = re.compile(
    r"Conflicting lock is held in (?P<command>.*?) \(PID (?P<pid>\d+)\)"
)
# A transaction of the only process fails only if its log cannot be written.
_OF_THE_DISK: Final = (duckdb.IOException, duckdb.TransactionException)
# How long a run waits for a reader, such as a sensor that reads the states.
_READER_SECONDS: Final = 3.0


def open_database(path: Path, *, read_only: bool, wait_seconds: float) -> duckdb.DuckDBPyConnection:
    """Open a database; wait for a process that has it open without holding our lock.

    Args:
        path: the database file; a writer makes it if it is missing.
        read_only: open it for reading.
        wait_seconds: how long to wait for the other process.

    Raises:
        WarehouseLockedError: the other process still has it open.
        WarehouseError: there is no database to read, or it cannot be used.
    """
    if read_only and not path.exists():
        raise WarehouseError(
            f"{path}: there is no database yet. Process a delivery by `lending-club run`."
        )
    # A writer holds the lock, so no other run can have it open: only brief readers can.
    waiting = LockWait(str(path), max(wait_seconds, 0.0 if read_only else _READER_SECONDS))
    while True:
        try:
            with explaining(path):
                if not read_only:
                    _make_if_missing(path)
                return duckdb.connect(plain_file(path), read_only=read_only)
        except WarehouseLockedError as error:
            if waiting.is_over:
                raise
            waiting.report(_holder_in(str(error)))
        time.sleep(POLL_SECONDS)


def _make_if_missing(path: Path) -> None:
    """Make the file under another name first: a killed run leaves no file or a complete one."""
    if path.exists() and not (path.is_file() and path.stat().st_size == 0):
        return
    work = path.with_name(f".{path.name}.new")
    work.unlink(missing_ok=True)
    duckdb.connect(plain_file(work)).close()
    work.replace(path)


def _holder_in(message: str) -> str:
    """Return the process that our own message names."""
    found = re.search(r"process \d+ \([^)]*\)", message)
    return found[0] if found else "another process"


@contextmanager
def explaining(path: Path) -> Iterator[None]:
    """Turn an error of DuckDB or of the disk into one with a remedy.

    Args:
        path: the database file.

    Raises:
        WarehouseError: the database cannot be used.
    """
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise out_of_memory(path) from error
    except duckdb.SerializationException as error:
        raise damaged(path) from error
    except duckdb.Error as error:
        # An error that is not about the file or its disk is an error of our statement.
        if not (isinstance(error, _OF_THE_DISK) or is_damaged(plain_file(path), str(error))):
            raise
        raise _explained(path, error) from error
    except OSError as error:
        raise WarehouseError(
            f"{path}: the database cannot be used ({os.strerror(error.errno or 0)}). "
            "Check folder and rights, or name another file by DUCKDB_PATH."
        ) from error


def _explained(path: Path, error: duckdb.Error) -> WarehouseError:
    message = str(error)
    if "No files found that match the pattern" in message:
        return NotLandedError(
            f"{path}: no landed file is at hand; LANDING_PATH was lost, or is another folder than "
            "it was. Land a delivery again: lending-club run --as-of DATE --force"
        )
    holder = _LOCK_HOLDER.search(message)
    if holder is not None:
        return WarehouseLockedError(
            f"{path}: process {holder['pid']} ({Path(holder['command']).name}) has this database "
            "open. Close it there, or let this run wait by LOCK_WAIT_SECONDS (or --wait)."
        )
    if is_damaged(plain_file(path), message):
        return damaged(path)
    if is_full(error):
        return WarehouseError(f"{path}: the disk is full. Free some space and run again.")
    reason = message.splitlines()[0].partition("Error: ")[2]
    return WarehouseError(
        f"{path}: the database cannot be used ({reason}). Check folder, rights and disk space, or "
        "name another file by DUCKDB_PATH."
    )
