"""The folder in which Dagster keeps its run history."""

import fcntl
from importlib.resources import files
from pathlib import Path

import dagster as dg

from lending_club_pipeline.files.atomic import explaining, replacing
from lending_club_pipeline.files.plain_paths import plain_folder


def prepare_home(home: Path) -> Path:
    """Make the folder of Dagster's run history, with its configuration, if it is missing.

    Raises:
        OutputError: it cannot be made.
    """
    home = home.absolute()
    if not (home / "dagster.yaml").exists():
        with explaining(home, "DAGSTER_HOME"):
            # The history shows some balances: its owner alone may read it.
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with replacing(home / "dagster.yaml", "DAGSTER_HOME") as work:
            work.write_text(files(__package__).joinpath("dagster.yaml").read_text())
    return home


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
