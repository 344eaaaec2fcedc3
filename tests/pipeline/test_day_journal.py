"""What is written of a business date, on a real database."""

import datetime as dt
from pathlib import Path

import duckdb
import pytest

from lending_club_pipeline.runs.day_journal import Build, DayJournal
from lending_club_pipeline.runs.day_states import DayState, read_days
from lending_club_pipeline.warehouse.duckdb import DuckDBWarehouse

DAY = dt.date(2026, 1, 31)


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    return DuckDBWarehouse(tmp_path / "lending_club.duckdb", 2**28)


def begun(warehouse: DuckDBWarehouse, times: int) -> DayState:
    """The state of a date after some builds of it that never ended, each of another run."""
    for number in range(times):
        with warehouse.session():
            DayJournal.begin(warehouse, f"run {number}").begin_build([DAY], "of this project")
    with warehouse.session(read_only=True):
        return read_days(warehouse)[DAY]


def test_builds_that_never_ended_are_counted_until_one_ends(warehouse: DuckDBWarehouse) -> None:
    assert not begun(warehouse, 2).is_given_up
    third = begun(warehouse, 1)

    with warehouse.session():
        journal = DayJournal.begin(warehouse, "the last")
        journal.begin_build([DAY], "of this project")
        journal.end_build([DAY], Build(is_built=False))
        ended = read_days(warehouse)[DAY]

    assert (third.build_attempts, third.is_interrupted, third.is_given_up) == (3, True, True)
    assert (ended.build_attempts, ended.is_interrupted, ended.is_given_up) == (0, False, False)


def test_a_table_of_an_older_version_gets_the_columns_that_it_lacks(
    warehouse: DuckDBWarehouse,
) -> None:
    with duckdb.connect(warehouse.path) as connection:
        connection.execute("create table pipeline_days (as_of_date date, run_id varchar)")
        connection.execute("insert into pipeline_days values (date '2026-01-30', 'older')")

    assert begun(warehouse, 1).build_attempts == 1
    with warehouse.session(read_only=True):
        kept = read_days(warehouse)[dt.date(2026, 1, 30)]
    assert kept == DayState(dt.date(2026, 1, 30), run_id="older")
