"""Dagster's home: its configuration and, unless Postgres keeps it, its history."""

import fcntl
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import dagster as dg
import yaml
from sqlalchemy.exc import SQLAlchemyError

from lending_club_pipeline.config.environment import temporary_environment
from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.errors import ConfigurationError, OutputError
from lending_club_pipeline.contract.extras import require_extra
from lending_club_pipeline.files.atomic import explaining, replacing
from lending_club_pipeline.files.plain_paths import plain_folder
from lending_club_pipeline.runs.history import password_environment, place_in_postgres

# First words of a configuration from this module, which it may overwrite.
_OURS: Final = "# Dagster's configuration"
_MADE: Final = f"{_OURS}, made from the settings of lending-club (see .env.example).\n"


def ensure_dagster_home(settings: DataPlatformConfig) -> Path:
    """Make Dagster's home, with a configuration from the settings.

    A configuration that somebody else wrote stays as it is.

    Raises:
        OutputError: it cannot be made.
        ConfigurationError: the settings name a Postgres server, and its packages are not installed,
            or a configuration that somebody else wrote keeps the history elsewhere.
    """
    if settings.postgres.host is not None:
        require_extra("postgres", "DAGSTER_POSTGRES_HOST")
    home = settings.dagster.home.absolute()
    target = home / "dagster.yaml"
    with explaining(home, "DAGSTER_HOME"):
        # The history shows some balances: only its owner may read it.
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        present = target.read_text() if target.exists() else None
    wanted = configuration(settings)
    if present is None or (present.startswith(_OURS) and present != wanted):
        with replacing(target, "DAGSTER_HOME") as work:
            work.write_text(wanted)
    elif present != wanted and settings.postgres.host and not _is_in_postgres(present):
        raise ConfigurationError(
            f"{target} has no `storage: postgres:`, but DAGSTER_POSTGRES_HOST="
            f"{settings.postgres.host} is set. Add it, remove the file so that it is made "
            "from the settings, or unset DAGSTER_POSTGRES_HOST."
        )
    return home


def configuration(settings: DataPlatformConfig) -> str:
    """Return the text of `dagster.yaml` for the settings.

    Raises:
        ConfigurationError: `DAGSTER_ADDITIONS` is not a YAML file of sections.
    """
    text: str = files(__package__).joinpath("dagster.yaml").read_text()
    sections = {**_storage(settings), **_additions(settings.dagster.additions)}
    if not sections:
        return text
    merged: str = yaml.safe_dump({**yaml.safe_load(text), **sections}, sort_keys=False)
    return _MADE + merged


def _storage(settings: DataPlatformConfig) -> dict[str, Any]:
    if settings.postgres.host is None:
        return {}
    database: dict[str, Any] = {
        "hostname": settings.postgres.host,
        "port": settings.postgres.port,
        "username": settings.postgres.user,
        "db_name": settings.postgres.db,
        # In SQLAlchemy 2.1 `postgresql` means another driver than Dagster's.
        "scheme": "postgresql+psycopg2",
        "params": settings.postgres.parameters,
    }
    if settings.postgres.password is not None:
        database["password"] = {"env": "DAGSTER_POSTGRES_PASSWORD"}
    return {"storage": {"postgres": {"postgres_db": database}}}


def _additions(path: Path | None) -> Mapping[str, Any]:
    if path is None:
        return {}
    try:
        sections = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise ConfigurationError(f"DAGSTER_ADDITIONS={path} cannot be read: {reason}") from error
    if not isinstance(sections, dict):
        raise ConfigurationError(
            f"DAGSTER_ADDITIONS={path} holds no sections. Write them as in dagster.yaml, such as "
            "`run_launcher:`."
        )
    return sections


def _is_in_postgres(text: str) -> bool:
    storage = (yaml.safe_load(text) or {}).get("storage") or {}
    return "postgres" in storage


@contextmanager
def opened_history(settings: DataPlatformConfig) -> Iterator[dg.DagsterInstance]:
    """Open Dagster's run history while the body runs, with the password of Postgres.

    Raises:
        OutputError: it cannot be read or written, or is damaged.
        SecretError: the manager that holds the password does not give it.
    """
    home = settings.dagster.home.absolute()
    with (
        temporary_environment(password_environment(settings.postgres)),
        explaining_history(settings),
        open_instance(home) as instance,
    ):
        yield instance


def open_instance(home: Path) -> dg.DagsterInstance:
    """Open Dagster's run history; if several first runs start at once, one makes its tables.

    Raises:
        OSError: it cannot be read or written.
        SQLAlchemyError: it is damaged.
    """
    with (home / "opening.lock").open("a") as lock:
        # Dagster looks for tables and makes them in two steps. Closing the file releases the lock.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return dg.DagsterInstance.from_config(str(plain_folder(home)))


@contextmanager
def keeping_open(home: Path, run_id: str) -> Iterator[None]:
    """Keep the databases of a history in SQLite open while a run writes its events.

    Dagster opens and closes a connection for each of some 500 writes of a run. Whenever the last
    connection is closed, SQLite moves the write-ahead log into the database and flushes both
    (https://www.sqlite.org/wal.html#avoiding_excessively_large_wal_files). That is half of the cost
    of a write. With one more connection, which locks nothing, it does so only once.

    Args:
        home: Dagster's home; nothing is done if the history is kept elsewhere.
        run_id: id of the run to come; its events have a database of their own.
    """
    folder = home / "history" / "runs"
    names = ("index.db", f"{run_id}.db") if folder.is_dir() else ()
    with ExitStack() as kept:
        for name in names:
            connection = kept.enter_context(closing(sqlite3.connect(folder / name)))
            # A connection counts as a user of the log only after a read.
            connection.execute("pragma journal_mode = wal").fetchone()
            connection.execute("select count(*) from sqlite_master").fetchone()
        yield


@contextmanager
def explaining_history(settings: DataPlatformConfig) -> Iterator[None]:
    """Turn a database error about the run history into one with a remedy.

    Raises:
        OutputError: it cannot be read or written, or is damaged.
    """
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise _history_error(settings, error) from error
    except Exception as error:
        # dagster-postgres gives up after some attempts, with an exception of its own.
        if not isinstance(error.__cause__, SQLAlchemyError):
            raise
        raise _history_error(settings, error.__cause__) from error


def _history_error(settings: DataPlatformConfig, error: Exception) -> OutputError:
    reason = " ".join(str(getattr(error, "orig", None) or error).split())
    if settings.postgres.host is not None:
        return OutputError(
            f"Dagster's run history in Postgres ({place_in_postgres(settings.postgres)}) cannot be "
            f"read or written ({reason}). `lending-club doctor` says which setting to correct. The "
            "last good outputs are unchanged."
        )
    return OutputError(
        f"{settings.dagster.home.absolute()}: Dagster's run history cannot be read or written "
        f"({reason}). Check rights and disk space, move it away if it is damaged, or name another "
        "folder by DAGSTER_HOME. The last good outputs are unchanged."
    )
