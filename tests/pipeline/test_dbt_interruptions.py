"""dbt that is told to stop: its threads end before the error is raised."""

import signal
import threading
import time

import pytest

from lending_club_pipeline.dbt_runner.invocation import run_dbt
from lending_club_pipeline.dbt_runner.manifest import prepare_manifest
from lending_club_pipeline.warehouse import choose_warehouse
from tests.workspaces import Workspace


class DagstersError(BaseException):
    """As Dagster's own error for signals, which is no `Exception` and no `KeyboardInterrupt`."""


def test_an_interrupt_ends_the_threads_of_dbt_first(workspace: Workspace) -> None:
    settings = workspace.settings()
    warehouse = choose_warehouse(settings)
    prepared = prepare_manifest(warehouse.dbt_environment(), settings.dbt_cache)
    working = []

    def stop(*_: object) -> None:
        if not working:
            working.append(threading.current_thread())
            signal.raise_signal(signal.SIGINT)
            # A query that takes its time.
            time.sleep(1)

    def as_dagster_does(*_: object) -> None:
        raise DagstersError

    before = signal.signal(signal.SIGINT, as_dagster_does)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_dbt(prepared, ["seed"], warehouse.dbt_environment(), stop)
        handler = signal.getsignal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
        warehouse.disconnect_dbt()

    assert handler is as_dagster_does
    assert [it.is_alive() for it in working] == [False]
