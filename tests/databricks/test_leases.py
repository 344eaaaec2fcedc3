"""One run at a time in a schema, from whatever machine; a run that was killed is no obstacle."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from databricks_stand_in.client import WarehouseClient
from lending_club_pipeline.contract.errors import WarehouseLockedError
from lending_club_pipeline.publish.tables import SUMMARY_COLUMNS
from lending_club_pipeline.warehouse.databricks import leases
from lending_club_pipeline.warehouse.databricks.warehouse import DatabricksWarehouse
from lending_club_pipeline.warehouse.serving import ServingColumn
from tests.databricks.deliveries import MART, make_mart
from tests.databricks.pipelines import count_statements, environment_of, warehouse_of


@contextmanager
def _running(
    client: WarehouseClient, folder: Path, run_id: str, **changed: Any
) -> Iterator[DatabricksWarehouse]:
    """Hold a session for writing as a run does, with a landing folder of its own."""
    warehouse = warehouse_of(client, folder / run_id, **changed)
    with warehouse.session(run_id=run_id):
        yield warehouse


def _set(client: WarehouseClient, values: str) -> None:
    client.run(f"update {client.schema}.{leases.TABLE} set {values}")


def _row(client: WarehouseClient) -> tuple[Any, ...]:
    columns = "run_id, machine, process, held_until is null"
    return client.run(f"select {columns} from {client.schema}.{leases.TABLE}")[0]


def _pid_that_ended() -> int:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def test_a_second_run_is_told_who_works_and_the_next_one_is_let_in(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    with _running(warehouse, tmp_path, "first"):
        with pytest.raises(WarehouseLockedError) as caught, _running(warehouse, tmp_path, "second"):
            pytest.fail("two runs at once")
        assert _row(warehouse) == ("first", leases.this_machine(), os.getpid(), False)
        message = str(caught.value)
        assert "\n" not in message
        assert f": run first of {os.uname().nodename} (process {os.getpid()}) is using" in message
        assert "LOCK_WAIT_SECONDS (or --wait)" in message

    assert _row(warehouse)[3]
    sent = count_statements(warehouse, lambda: _enter(warehouse, tmp_path, "third"))
    assert [statement.split()[0] for statement in sent] == ["update", "update"]


def _enter(client: WarehouseClient, folder: Path, run_id: str) -> None:
    with _running(client, folder, run_id):
        return


def test_a_run_waits_for_another_one_as_long_as_it_is_told(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    with _running(warehouse, tmp_path, "first") as first:
        patient = warehouse_of(warehouse, tmp_path / "second", lock_wait_seconds=120)

        def enter() -> None:
            with patient.session(run_id="second"):
                return

        waiting = threading.Thread(target=enter, daemon=True)
        waiting.start()
        waiting.join(5)
        assert waiting.is_alive()
        assert first.fetch("select 1 as one") == [{"one": 1}]
    waiting.join(120)

    assert not waiting.is_alive()
    assert _row(warehouse)[0] == "second"


def test_a_killed_run_of_this_machine_is_no_obstacle(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    _enter(warehouse, tmp_path, "first")
    machine = leases.this_machine()
    _set(
        warehouse,
        f"holder = 'killed', machine = '{machine}', process = {_pid_that_ended()}, "
        "held_until = current_timestamp() + interval 1 hour",
    )

    with _running(warehouse, tmp_path, "second"):
        assert _row(warehouse)[0] == "second"


def test_a_killed_run_of_another_machine_keeps_others_out_until_its_lease_ends(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    _enter(warehouse, tmp_path, "first")
    _set(
        warehouse,
        f"holder = 'killed', machine = 'elsewhere', process = {_pid_that_ended()}, "
        "held_until = current_timestamp() + interval 1 hour",
    )
    with pytest.raises(WarehouseLockedError, match="run first of elsewhere"):
        _enter(warehouse, tmp_path, "second")

    _set(warehouse, "held_until = current_timestamp() - interval 1 second")

    with _running(warehouse, tmp_path, "second"):
        assert _row(warehouse)[0] == "second"


def test_a_lease_is_renewed_while_a_run_lasts(
    warehouse: WarehouseClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "RENEW_SECONDS", 1.0)
    held_until = f"select held_until from {warehouse.schema}.{leases.TABLE}"

    with _running(warehouse, tmp_path, "long"):
        first = warehouse.run(held_until)[0][0]
        deadline = time.monotonic() + 60
        while warehouse.run(held_until)[0][0] <= first:
            assert time.monotonic() < deadline
            time.sleep(0.5)


def test_a_run_that_lost_its_lease_sends_no_further_statement(
    warehouse: WarehouseClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _running(warehouse, tmp_path, "asleep") as asleep:
        _set(warehouse, "holder = 'another'")
        monkeypatch.setattr(leases, "LEASE_SECONDS", 0.0)
        monkeypatch.setattr(leases, "RENEW_SECONDS", 0.0)

        with pytest.raises(WarehouseLockedError, match="another run has taken this schema"):
            asleep.fetch("select 1 as one")

    holder = f"select holder from {warehouse.schema}.{leases.TABLE}"
    assert warehouse.run(holder) == [("another",)]


def test_lost_replies_and_a_dropped_schema_are_no_obstacle(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    for matching in ("^create schema", "^create table", "^update"):
        warehouse.arm("lose_reply", matching=matching)

    with _running(warehouse, tmp_path, "first"):
        assert _row(warehouse)[0] == "first"
        warehouse.run(f"drop schema {warehouse.catalog}.{warehouse.schema} cascade")

    assert [fault["struck"] for fault in warehouse.request("GET", "/faults")] == [1, 1, 1]


# A run that builds two seeds by dbt, with a lease of three seconds.
_BUILDS_SEEDS = """
import sys
from pathlib import Path
from dbt.cli.main import dbtRunner
from lending_club_pipeline.config.environment import sheltering
from lending_club_pipeline.config.settings import load_settings
from lending_club_pipeline.dbt_runner.manifest import project_arguments
from lending_club_pipeline.contract.seeds import project_dir
from lending_club_pipeline.warehouse import choose_warehouse
from lending_club_pipeline.warehouse.databricks import leases

leases.LEASE_SECONDS, leases.RENEW_SECONDS = 3.0, 1.0
warehouse = choose_warehouse(load_settings())
seeds = ["seed", *project_arguments(project_dir(), Path(sys.argv[1])), "--threads", "1"]
with warehouse.session(run_id="frozen"), sheltering(warehouse.dbt_environment()):
    results = dbtRunner().invoke(seeds).result.results
print([result.message for result in results if result.status == "error"])
"""


def _is_frozen(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.exhaustive
def test_a_run_that_was_frozen_for_longer_than_its_lease_writes_nothing_beside_the_next_one(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    environment = {**environment_of(warehouse, tmp_path / "frozen"), "TMPDIR": str(tmp_path)}
    program = [sys.executable, "-c", _BUILDS_SEEDS, str(tmp_path / "target")]
    with subprocess.Popen(program, env=environment, stdout=subprocess.PIPE, text=True) as frozen:
        # What dbt sends begins with a comment.
        warehouse.arm("freeze", matching="(create|insert) .*`loan_bonus_rates`", pid=frozen.pid)
        deadline = time.monotonic() + 600
        while not _is_frozen(frozen.pid):
            assert frozen.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)

        with _running(warehouse, tmp_path, "next", lock_wait_seconds=60) as following:
            before = len(warehouse.statements())
            os.kill(frozen.pid, signal.SIGCONT)
            said, _ = frozen.communicate(timeout=600)
            sent = warehouse.statements()[before:]
            assert following.fetch("select 1 as one") == [{"one": 1}]

    assert "another run has taken this schema" in said
    assert {ran["text"].partition(" ")[0] for ran in sent} <= {"update"}
    assert _row(warehouse)[0] == "next"


@pytest.mark.exhaustive
def test_what_readers_see_is_replaced_by_no_run_that_lost_its_lease(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    make_mart(warehouse)
    columns = [ServingColumn(it.name, it.type, "") for it in SUMMARY_COLUMNS]
    with _running(warehouse, tmp_path, "first") as running:
        running.serving().publish(columns, 2, Decimal("300.50"))
        make_mart(warehouse, MART.replace("cast(100 as", "cast(300 as"))
        # As if it were lost between the question for it and the statement.
        _set(warehouse, "holder = 'another'")
        with pytest.raises(WarehouseLockedError, match="another run has taken this schema"):
            running.serving().publish(columns, 2, Decimal("500.50"))

    published = f"select max(original_balance) from {warehouse.schema}.account_summary_serving"
    assert warehouse.run(published) == [(Decimal("200.50"),)]


def test_a_clock_that_stood_still_or_was_set_hides_no_time() -> None:
    began = leases.Moment()
    assert began.age < 60

    assert leases.Moment(began.running - 400, began.wall).age >= 400
    assert leases.Moment(began.running, began.wall - 400).age >= 400
