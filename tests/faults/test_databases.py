"""A database that cannot be used: which one, why, what to do; outputs stay as they were."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from lending_club_pipeline.cli import cli
from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.errors import (
    PipelineError,
    WarehouseError,
    WarehouseLockedError,
)
from lending_club_pipeline.defs import execution
from lending_club_pipeline.files import io_errors, locks
from lending_club_pipeline.warehouse import Warehouse, choose_warehouse, duckdb_file
from lending_club_pipeline.warehouse.duckdb import DuckDBWarehouse
from tests.faults.processes import another_process
from tests.faults.restrictions import largest_file, mode
from tests.workspaces import Workspace

Failure = Callable[..., str]

_OPENED_BY_HAND = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""
_OPENED_BY_A_RUN = """
import pathlib, sys
from lending_club_pipeline.warehouse.duckdb import DuckDBWarehouse
with DuckDBWarehouse(pathlib.Path(sys.argv[1]), 2**28).session():
    print("open", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def database(tmp_path: Path) -> DuckDBWarehouse:
    """A database in which something is."""
    warehouse = DuckDBWarehouse(tmp_path / "data" / "lending_club.duckdb", 2**28)
    with warehouse.session():
        warehouse.fetch("create table things as select range as thing from range(1000)")
    return warehouse


def _error(warehouse: DuckDBWarehouse) -> PipelineError:
    with pytest.raises(PipelineError) as caught, warehouse.session():
        warehouse.fetch("create or replace table things as select sum(thing) from things")
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("program", [_OPENED_BY_HAND, _OPENED_BY_A_RUN], ids=["by hand", "run"])
def test_a_database_in_use_says_by_which_process_and_how_to_wait(
    database: DuckDBWarehouse, program: str
) -> None:
    with another_process(program, database.path) as process:
        error = _error(database)

    assert isinstance(error, WarehouseLockedError)
    assert str(error).startswith(f"{database.path}: process {process.pid} (")
    assert "LOCK_WAIT_SECONDS (or --wait)" in str(error)


@pytest.mark.parametrize(
    ("program", "module"),
    [(_OPENED_BY_HAND, duckdb_file), (_OPENED_BY_A_RUN, locks)],
    ids=["by hand", "run"],
)
def test_a_run_that_waits_goes_on_when_the_other_process_ends(
    database: DuckDBWarehouse, program: str, module: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    with another_process(program, database.path) as process:
        # The other process ends as soon as we have found the database in use.
        clock = SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: process.communicate())
        monkeypatch.setattr(module, "time", clock)
        database.lock_wait_seconds = 60

        with database.session():
            assert database.fetch("select count(*) as things from things") == [{"things": 1000}]

        assert process.returncode == 0


def test_a_run_does_not_wait_longer_than_it_is_told(
    database: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([0.0, 1.0, 2.0, 3.0])
    clock = SimpleNamespace(monotonic=lambda: next(times), sleep=lambda _: None)
    monkeypatch.setattr(locks, "time", clock)
    database.lock_wait_seconds = 2

    with another_process(_OPENED_BY_A_RUN, database.path):
        assert "is using this database for longer than 2 s" in str(_error(database))


def test_a_database_in_use_fails_the_run_with_1(after_good_run: Workspace) -> None:
    before = after_good_run.output_bytes()

    with another_process(_OPENED_BY_HAND, after_good_run.database) as process:
        ended = after_good_run.command("run")

    assert ended.returncode == 1
    failed = next(line for line in ended.stderr.splitlines() if line.startswith("Failed: "))
    assert f"process {process.pid} (" in failed
    assert "Traceback" not in ended.stderr
    assert after_good_run.output_bytes() == before


@pytest.mark.parametrize(
    ("waits", "code", "mark", "verdict"),
    [
        ("0", 1, "✗", "Problems: 1. A run that starts now does not succeed."),
        ("60", 0, "!", "No problem is known; warnings: 1 (marked !). A run may succeed."),
    ],
)
def test_doctor_promises_no_success_while_another_process_has_the_database(
    database: DuckDBWarehouse, tmp_path: Path, waits: str, code: int, mark: str, verdict: str
) -> None:
    workspace = Workspace(tmp_path)
    workspace.deliver("1,Ada,yes\n", "A1,1,100.00,Savings\n")
    variables = {"DUCKDB_PATH": str(database.path), "LOCK_WAIT_SECONDS": waits}

    with another_process(_OPENED_BY_HAND, database.path) as process:
        result = CliRunner().invoke(cli, ["doctor"], env=workspace.variables() | variables)

    assert result.exit_code == code
    assert f"{mark} database: {database.path}: process {process.pid} (" in result.output
    assert result.output.endswith(f"{verdict}\n")


@pytest.mark.exhaustive
def test_a_run_is_a_success_even_if_another_process_takes_the_database_right_after_it(
    after_good_run: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:

        def choose_when_another_process_has_it(settings: DataPlatformConfig) -> Warehouse:
            stack.enter_context(another_process(_OPENED_BY_HAND, after_good_run.database))
            return choose_warehouse(settings)

        # The run has ended, and reads its ledger for the closing table.
        monkeypatch.setattr(execution, "choose_warehouse", choose_when_another_process_has_it)

        report = after_good_run.run()

    assert report.outcome == "success"
    assert len(report.written) == len(after_good_run.output_bytes())


def _no_database(path: Path) -> None:
    path.write_bytes(b"this is no database")


def _damaged_head(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096 : 3 * 4096] = bytes(2 * 4096)
    path.write_bytes(content)


def _damaged_blocks(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for at in range(3 * 4096, len(content), 100):
        content[at] ^= 0xFF
    path.write_bytes(content)


def _cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: 3 * 4096])


@pytest.mark.parametrize("damage", [_no_database, _damaged_head, _damaged_blocks, _cut_off])
def test_a_corrupt_database_says_what_to_do(
    database: DuckDBWarehouse, damage: Callable[[Path], None]
) -> None:
    damage(database.path)

    assert str(_error(database)) == (
        f"{database.path}: this is not a DuckDB database, or it is damaged. Move it away and run "
        "again for each delivery: everything in it is rebuilt from the deliveries."
    )


@pytest.mark.parametrize(
    ("said", "is_damaged"),
    [
        ('IO Error: Could not read enough bytes from file "/data/bank.duckdb": tried 9', True),
        ("IO Error: Corrupt database file: computed checksum 1 does not match stored", True),
        ("Runtime Error in model things Serialization Error: Failed to deserialize", True),
        ('IO Error: Could not read enough bytes from file "/data/landing/accounts.parquet"', False),
        ('Binder Error: Referenced column "checksum" not found in FROM clause', False),
    ],
)
def test_only_a_fault_of_the_database_file_is_taken_for_one(said: str, is_damaged: bool) -> None:
    assert io_errors.is_damaged(Path("/data/bank.duckdb"), said) == is_damaged


def test_a_corrupt_database_fails_the_run_and_moving_it_away_is_enough(
    after_good_run: Workspace, failure: Failure
) -> None:
    whole = after_good_run.database.read_bytes()
    _no_database(after_good_run.database)

    assert "Move it away and run again" in failure(after_good_run)

    # It opens, and dbt is the first to read what is missing.
    after_good_run.database.write_bytes(whole[: len(whole) // 3])
    assert failure(after_good_run) == str(io_errors.damaged(after_good_run.database))

    after_good_run.database.unlink()
    assert after_good_run.run().outcome == "success"


def test_a_first_run_that_was_killed_before_it_wrote_the_database_is_no_obstacle(
    tmp_path: Path,
) -> None:
    warehouse = DuckDBWarehouse(tmp_path / "lending_club.duckdb", 2**28)
    warehouse.path.touch()

    with warehouse.session():
        assert warehouse.fetch("select 1 as one") == [{"one": 1}]


def test_a_folder_in_place_of_the_database_is_named(tmp_path: Path) -> None:
    error = _error(DuckDBWarehouse(tmp_path, 2**28))

    assert isinstance(error, WarehouseError)
    assert str(error).startswith(f"{tmp_path}: the database cannot be used (")
    assert "Is a directory" in str(error)


def test_a_database_below_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    error = _error(DuckDBWarehouse(tmp_path / "file" / "lending_club.duckdb", 2**28))

    assert "where its folder should be is a file" in str(error)
    assert "DUCKDB_PATH" in str(error)


@pytest.mark.parametrize(
    ("what", "bits"),
    [("file", 0o400), ("file", 0o000), ("folder", 0o500), ("folder", 0o000)],
)
def test_a_database_that_may_not_be_written_is_named(
    database: DuckDBWarehouse, what: str, bits: int
) -> None:
    with mode(database.path if what == "file" else database.path.parent, bits):
        error = _error(database)

    assert str(error).startswith(str(database.path))
    assert "Permission denied" in str(error)
    assert "DUCKDB_PATH" in str(error)


def test_a_full_disk_under_the_database_is_named(database: DuckDBWarehouse) -> None:
    with (
        pytest.raises(WarehouseError) as caught,
        database.session(),
        largest_file(database.path.stat().st_size),
    ):
        database.fetch("create table more as select uuid() as thing from range(1_000_000)")

    assert str(caught.value) == (
        f"{database.path}: the disk is full. Free some space and run again."
    )
