"""Dagster's history in SQLite, written with one SQLAlchemy engine for each database.

Dagster makes an engine for each of some 800 reads and writes of a run, and with it, each time, the
SQL that the engine would have kept: a fifth of what a run costs a processor. An engine without a
pool holds no connection, so that what is written, and when, stays the same. Nor does a test wait
until the disk has what was written: a killed process loses nothing by that, only a machine would.
"""

from functools import lru_cache
from typing import Any, Final

import sqlalchemy
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage

_MODULES: Final = (sqlite_event_log, sqlite_run_storage, sqlite_schedule_storage)


@lru_cache(maxsize=16)
def _engine(url: str, poolclass: type[sqlalchemy.Pool], timeout: float | None) -> sqlalchemy.Engine:
    arguments = {} if timeout is None else {"timeout": timeout}
    engine = sqlalchemy.create_engine(url, poolclass=poolclass, connect_args=arguments)
    sqlalchemy.event.listen(engine, "connect", _do_not_wait_for_the_disk)
    return engine


def _do_not_wait_for_the_disk(connection: Any, _: object) -> None:
    connection.execute("pragma synchronous = off")


def _create_engine(
    url: str, *, poolclass: type[sqlalchemy.Pool], connect_args: dict[str, Any] | None = None
) -> sqlalchemy.Engine:
    return _engine(url, poolclass, **{"timeout": None, **(connect_args or {})})


def share_engines() -> None:
    """Let what this process does with a history from now on share engines."""
    for module in _MODULES:
        module.create_engine = _create_engine  # type: ignore[attr-defined]
