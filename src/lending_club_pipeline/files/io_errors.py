"""Errors of disks and memory, with remedies."""

import contextlib
import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import duckdb

from lending_club_pipeline.contract.errors import OutputError, WarehouseError

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_DAMAGED: Final = re.compile(
    r"Serialization Error|not a valid DuckDB database|Corrupt (?:database|WAL)|stored checksum"
    r'|Could not read enough bytes(?: from file "(?P<file>[^"]*)")?'
)


def is_full(error: Exception) -> bool:
    """Return whether an error of Python or DuckDB means that a disk or quota is full."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    return any(os.strerror(number) in str(error) for number in _FULL)


@contextlib.contextmanager
def explaining(path: Path, setting: str) -> Iterator[None]:
    """Turn a disk error of Python or DuckDB into one line about `path`.

    Args:
        path: the file or folder that is written.
        setting: the setting that names another place, such as `OUTPUT_PATH`.

    Raises:
        OutputError: the place cannot be written, or the disk is full.
        WarehouseError: the engine has too little memory, or no disk space for spilling.
    """
    try:
        yield
    except OSError as error:
        raise _explained(path, setting, error, error.strerror or str(error)) from error
    except duckdb.IOException as error:
        raise _explained(path, setting, error, _said(error)) from error
    except duckdb.OutOfMemoryException as error:
        raise out_of_memory(path) from error


def _explained(path: Path, setting: str, error: Exception, reason: str) -> OutputError:
    if is_full(error):
        return full(path)
    if isinstance(error, FileExistsError | NotADirectoryError):
        reason = "where its folder should be is a file"
    return OutputError(
        f"{path}: this cannot be read or written ({reason}). Give the user who runs the pipeline "
        f"the right to do so, or name another place by {setting}. "
        "The last good outputs are unchanged."
    )


def _said(error: duckdb.Error) -> str:
    return str(error).splitlines()[0].removeprefix("IO Error: ")


def full(path: Path) -> OutputError:
    """Return the error of a disk without space for `path`."""
    return OutputError(
        f"{path}: the disk is full. Free some space and run again. "
        "The last good outputs are unchanged."
    )


def is_damaged(path: Path, message: str) -> bool:
    """Return whether a message of DuckDB is about a damaged database, not about another file.

    Args:
        path: the database file.
        message: the message of DuckDB, alone or inside that of another program.
    """
    found = _DAMAGED.search(message)
    return found is not None and (found["file"] or str(path)).startswith(str(path))


def damaged(path: Path) -> WarehouseError:
    """Return the error of a database file that DuckDB cannot read."""
    return WarehouseError(
        f"{path}: this is not a DuckDB database, or it is damaged. Move it away and run again for "
        "each delivery: everything in it is rebuilt from the deliveries."
    )


def out_of_memory(path: Path) -> WarehouseError:
    """Return the error of an engine that works on `path` and has too little memory."""
    return WarehouseError(
        f"{path}: the memory limit does not suffice for this step. Raise MEMORY_LIMIT, or free "
        "disk space for spilling."
    )
