"""Dagster's run history in SQLite, without waiting for the disk at every event."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

from lending_club_pipeline.contract.errors import OutputError


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


@contextmanager
def quick_history() -> Iterator[None]:
    """Let SQLite write the history of runs without a disk flush per event while the body runs.

    Dagster opens and closes a connection for each of a run's two hundred events. Each commit waits
    for the disk, and so does each close, because the last connection to leave empties the
    write-ahead log. Here commits wait no longer (`synchronous = normal`: what a power failure may
    cost is the newest events, never the file), and a connection that stays open keeps the others
    from emptying the log.
    """
    held: dict[str, sqlite3.Connection] = {}

    def on_connect(connection: object, _: object) -> None:
        if not isinstance(connection, sqlite3.Connection):
            return
        connection.execute("pragma synchronous = normal")
        path = connection.execute("pragma database_list").fetchone()[2]
        if path:
            if path not in held:
                # Dagster sets it only when it has made the tables of a new run, each with three
                # flushes.
                connection.execute("pragma journal_mode = wal")
            stays = held.get(path) or sqlite3.connect(path, check_same_thread=False)
            # Only a connection that has read since the log was begun takes part in it.
            stays.execute("select count(*) from sqlite_master").fetchone()
            held[path] = stays

    event.listen(Engine, "connect", on_connect)
    try:
        with _engines_kept():
            yield
    finally:
        event.remove(Engine, "connect", on_connect)
        for connection in held.values():
            connection.close()


@contextmanager
def _engines_kept() -> Iterator[None]:
    """Make one SQLAlchemy engine for each file, not one for each time that Dagster opens it.

    An engine knows the statements that it has compiled; a new one compiles all of them again, which
    took a sixth of a small run. Dagster has no setting for this, so that what its modules call is
    replaced while the body runs.
    """
    engines: dict[tuple[str, str], Engine] = {}

    def kept(url: str, **options: Any) -> Engine:  # noqa: ANN401 - whatever Dagster asks for
        key = url, repr(options)
        if key not in engines:
            engines[key] = create_engine(url, **options)
        return engines[key]

    modules: tuple[Any, ...] = (sqlite_event_log, sqlite_run_storage)
    before = [module.create_engine for module in modules]
    for module in modules:
        module.create_engine = kept
    try:
        yield
    finally:
        for module, made in zip(modules, before, strict=True):
            module.create_engine = made
