"""Dagster's run history keeps what SQLAlchemy knows of a file while a run goes on."""

from pathlib import Path

import dagster as dg
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from lending_club_pipeline.defs.history import quick_history


@dg.op
def many_events(context: dg.OpExecutionContext) -> None:
    for number in range(20):
        context.log_event(dg.AssetObservation(asset_key="it", metadata={"number": number}))


@dg.job
def eventful() -> None:
    many_events()


def _engines_of_a_run(home: Path) -> int:
    """Run the job; return how many engines opened its history."""
    home.mkdir()
    engines: list[Engine] = []

    def on_engine(connection: Connection) -> None:
        if all(it is not connection.engine for it in engines):
            engines.append(connection.engine)

    event.listen(Engine, "engine_connect", on_engine)
    try:
        with dg.DagsterInstance.local_temp(str(home)) as instance:
            assert eventful.execute_in_process(instance=instance).success
            records = instance.fetch_observations(dg.AssetKey("it"), limit=100).records
            assert len(records) == 20
    finally:
        event.remove(Engine, "engine_connect", on_engine)
    return len(engines)


def test_each_file_of_the_history_is_opened_by_one_engine(tmp_path: Path) -> None:
    before = sqlite_event_log.create_engine, sqlite_run_storage.create_engine

    usual = _engines_of_a_run(tmp_path / "usual")
    with quick_history():
        kept = _engines_of_a_run(tmp_path / "kept")

    assert usual > 4 * kept, (usual, kept)
    assert kept < 20
    assert (sqlite_event_log.create_engine, sqlite_run_storage.create_engine) == before
