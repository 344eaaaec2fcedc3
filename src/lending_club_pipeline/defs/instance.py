"""The folder in which Dagster keeps its run history."""

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import dagster as dg
from sqlalchemy.exc import SQLAlchemyError

from lending_club_pipeline.contract.errors import OutputError
from lending_club_pipeline.files.atomic import explaining, replacing
from lending_club_pipeline.files.plain_paths import plain_folder


def prepare_home(home: Path) -> Path:
    """Make the folder of Dagster's run history, with its configuration, if it is missing.

    Raises:
        OutputError: it cannot be made.
    """
    home = home.absolute()
    if not (home / "dagster.yaml").exists() or _is_outdated(home / "dagster.yaml"):
        with explaining(home, "DAGSTER_HOME"):
            # The history shows some balances: its owner alone may read it.
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with replacing(home / "dagster.yaml", "DAGSTER_HOME") as work:
            work.write_text(files(__package__).joinpath("dagster.yaml").read_text())
    return home


def _is_outdated(configuration: Path) -> bool:
    """Whether it names a class that versions before 0.6 shipped, without which Dagster fails."""
    return "lending_club_pipeline.defs.automation" in configuration.read_text(encoding="utf-8")


def open_instance(home: Path) -> dg.DagsterInstance:
    """Open Dagster's run history; of several first runs at once, one makes its tables.

    Raises:
        OSError: it cannot be read or written.
        SQLAlchemyError: it is damaged.
    """
    with (home / "opening.lock").open("a") as lock:
        # Dagster looks for tables, and makes them, in two steps. Closing the file lets others in.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return dg.DagsterInstance.from_config(str(plain_folder(home)))


@contextmanager
def explaining_history(home: Path) -> Iterator[None]:
    """Turn what SQLite says of the run history into what a person can act on.

    Raises:
        OutputError: it cannot be read or written, or is damaged.
    """
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        cause = getattr(error, "orig", None) or error
        reason = " ".join(str(cause).split())
        raise OutputError(
            f"{home}: Dagster's run history cannot be read or written ({reason}). Check rights "
            "and disk space, move it away if it is damaged, or name another folder by "
            "DAGSTER_HOME. The last good outputs are unchanged."
        ) from error
