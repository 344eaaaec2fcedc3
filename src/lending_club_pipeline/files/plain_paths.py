"""Links to folders whose names some tools misread.

dbt cuts the path of a database at `#`, SQLAlchemy at `?`, Alembic replaces what follows a `%`, and
SQLite takes 512 bytes at most. None of them can escape such a path.
"""

import atexit
import os
import re
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

from lending_club_pipeline.contract.errors import OutputError

_PLAIN: Final = re.compile(r"[\w ./=-]*")
_LONGEST_BYTES: Final = 256
_FOLDERS: Final[dict[Path, Path]] = {}


def is_plain(path: Path) -> bool:
    """Return whether every tool reads a path correctly."""
    return _PLAIN.fullmatch(str(path)) is not None and len(os.fsencode(path)) <= _LONGEST_BYTES


def plain_folder(folder: Path) -> Path:
    """Return a path of the same folder that every tool reads correctly.

    It is the folder's own path if that is plain, else a link that exists as long as this process.

    Args:
        folder: absolute path of a folder; it need not exist yet.

    Raises:
        OutputError: the folder for temporary files cannot be written, or its own name is not plain.
    """
    return folder if is_plain(folder) else _linked(folder)


def plain_file(file: Path) -> Path:
    """Return a path of the same file whose folder is a `plain_folder`; its name stays."""
    return plain_folder(file.parent) / file.name


def as_named(path: Path) -> Path:
    """Return the real path behind a `plain_folder` or `plain_file`, for people."""
    for link, folder in _FOLDERS.items():
        if path.is_relative_to(link):
            return folder / path.relative_to(link)
    return path


@cache
def _linked(folder: Path) -> Path:
    try:
        link = _links() / f"link-{os.urandom(8).hex()}"
        link.symlink_to(folder)
    except OSError as error:
        raise OutputError(
            f"{tempfile.gettempdir()}: no link to {folder} can be made here ({error.strerror}). "
            "Name a folder for temporary files by TMPDIR, or rename that folder to letters, digits "
            "and -."
        ) from error
    _FOLDERS[link] = folder
    return link


@cache
def _links() -> Path:
    """Make the folder of this process's links; only this user may change it."""
    folders = (Path(tempfile.gettempdir()), Path("/tmp"))  # noqa: S108 - mkdtemp makes it safe
    folder = next((it for it in folders if is_plain(it)), folders[-1])
    made = Path(tempfile.mkdtemp(prefix="lending-club-", dir=folder))
    atexit.register(_remove, made, os.getpid())
    return made


def _remove(made: Path, owner: int) -> None:
    # A forked process has it from its parent, which may still need it.
    if os.getpid() == owner:
        shutil.rmtree(made, ignore_errors=True)
