"""The ready queries for Databricks say what they promise: here on DuckDB, in its own words.

No system table of Databricks is to be had: the columns are those of
https://docs.databricks.com/aws/en/admin/system-tables/query-history.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
import sqlglot

from lending_club_pipeline.warehouse.databricks.connections import tags_of
from tests.operating.programs import DEPLOY

QUERIES = sqlglot.parse(
    (DEPLOY / "dashboards" / "databricks_statements.sql").read_text(), dialect="databricks"
)
NOW = dt.datetime.now(dt.UTC)


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("attach ':memory:' as system_tables")
        connection.execute("create schema system_tables.query")
        connection.execute(
            "create table system_tables.query.history (statement_id text, start_time timestamptz, "
            "statement_type text, execution_status text, total_duration_ms bigint, "
            "waiting_for_compute_duration_ms bigint, read_bytes bigint, written_bytes bigint, "
            "produced_rows bigint, query_tags map(text, text))"
        )
        yield connection


def add(
    database: duckdb.DuckDBPyConnection, name: str, days: int, tags: dict[str, str], status: str
) -> None:
    database.execute(
        "insert into system_tables.query.history "
        "values (?, ?, 'INSERT', ?, 1500, 100, 10, 5, 1, ?)",
        [name, NOW - dt.timedelta(days=days), status, tags],
    )


def asked(database: duckdb.DuckDBPyConnection, number: int) -> list[tuple[Any, ...]]:
    query = QUERIES[number]
    assert query is not None
    text = query.sql("duckdb").replace("system.query.history", "system_tables.query.history")
    return database.execute(text).fetchall()


def test_statements_seconds_and_bytes_are_counted_by_the_tag_of_the_run(
    database: duckdb.DuckDBPyConnection,
) -> None:
    add(database, "a", 1, tags_of("r1"), "FINISHED")
    add(database, "b", 1, tags_of("r1"), "FAILED")
    add(database, "c", 2, tags_of("r2"), "FINISHED")
    add(database, "d", 1, {"application": "other", "run_id": "r1"}, "FINISHED")

    by_run = asked(database, 0)

    assert [(it[0], *it[2:]) for it in by_run] == [
        ("r1", 2, 1, 3.0, 0.2, 20, 10),
        ("r2", 1, 0, 1.5, 0.1, 10, 5),
    ]
    by_day = asked(database, 1)
    assert [it[1:] for it in by_day] == [(2, 3.0, 20, 1.5), (1, 1.5, 10, None)]
    assert {it[0] for it in asked(database, 2)} == {"a", "b", "c"}
