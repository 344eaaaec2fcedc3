"""The stand-in serves the unmodified connector: sessions, statements, results and errors."""

import datetime as dt
import time
from decimal import Decimal

import pytest
from databricks.sql.backend.types import CommandState
from databricks.sql.exc import Error, ServerOperationError

from databricks_stand_in.client import WarehouseClient

# --- results


def test_values_arrive_with_their_types(warehouse: WarehouseClient) -> None:
    rows = warehouse.run(
        """
        select
            cast('1.50' as decimal(18, 2)) as money, date'2026-01-02' as day,
            timestamp'2026-01-02 03:04:05.678901' as moment, cast(null as bigint) as nothing,
            'Ünïcode ''quoted''' as text, 9223372036854775807 as big, true as flag,
            x'00ff' as bytes, interval 1 day as span
        """
    )
    assert rows == [
        (
            Decimal("1.50"),
            dt.date(2026, 1, 2),
            dt.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC),
            None,
            "Ünïcode 'quoted'",
            9223372036854775807,
            True,
            b"\x00\xff",
            "INTERVAL '1' DAY",
        )
    ]


def test_columns_are_described(warehouse: WarehouseClient) -> None:
    with warehouse.connect() as connection, connection.cursor() as cursor:
        cursor.execute("select cast(1 as decimal(10, 3)) as d, 'x' as t, cast(1 as int) as i")
        assert [column[:2] for column in cursor.description] == [
            ("d", "decimal"),
            ("t", "string"),
            ("i", "int"),
        ]
        assert cursor.description[0][4:6] == (10, 3)


def test_a_large_result_is_paged_in_order_and_complete(warehouse: WarehouseClient) -> None:
    with warehouse.connect() as connection, connection.cursor() as cursor:
        cursor.arraysize = 7_000
        cursor.execute("select id, cast(id as decimal(18, 2)) as amount from range(100003)")
        numbers: list[int] = []
        while (table := cursor.fetchmany_arrow(9_999)).num_rows:
            assert table.num_rows <= 9_999
            numbers += table.column("id").to_pylist()
    assert numbers == list(range(100003))


def test_an_error_in_the_last_row_shows_when_the_statement_runs(warehouse: WarehouseClient) -> None:
    cursor = warehouse.connect().cursor()
    with pytest.raises(ServerOperationError, match=r"\[DIVIDE_BY_ZERO\].*SQLSTATE: 22012"):
        cursor.execute("select 1 / (id - 99999) from range(100000)")


def test_an_empty_result_has_columns_and_no_rows(warehouse: WarehouseClient) -> None:
    with warehouse.connect() as connection, connection.cursor() as cursor:
        cursor.execute("select 1 as one where false")
        assert (cursor.description[0][0], cursor.fetchall()) == ("one", [])


def test_integers_overflow_as_in_ansi_mode(warehouse: WarehouseClient) -> None:
    with pytest.raises(ServerOperationError, match=r"\[ARITHMETIC_OVERFLOW\]"):
        warehouse.run("select 2147483647 + 1")


@pytest.mark.parametrize(
    ("marks", "parameters"),
    [("? as a, ? as b, ? as c", [1, "it's", Decimal("1.25")]),
     (":a as a, :b as b, :c as c", {"a": 1, "b": "it's", "c": Decimal("1.25")})],
    ids=["positional", "named"],
)  # fmt: skip
def test_native_parameters_are_bound(
    warehouse: WarehouseClient, marks: str, parameters: object
) -> None:
    with warehouse.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"select {marks}", parameters)
        assert tuple(cursor.fetchone()) == (1, "it's", Decimal("1.25"))


def test_a_statement_is_polled_and_fetched_later(warehouse: WarehouseClient) -> None:
    with warehouse.connect() as connection, connection.cursor() as cursor:
        cursor.execute_async("select sum(id) as total from range(1000)")
        cursor.get_async_execution_result()
        assert cursor.fetchall()[0][0] == 499500


def test_a_running_statement_can_be_cancelled(warehouse: WarehouseClient) -> None:
    with warehouse.connect() as connection, connection.cursor() as cursor:
        cursor.execute_async("select count(*) from range(40000000000) where sqrt(id) % 7 = 3")
        while cursor.get_query_state() is CommandState.PENDING:
            time.sleep(0.1)
        cursor.cancel()
        assert cursor.get_query_state() is CommandState.CANCELLED
    # The two cores are free again.
    assert warehouse.run("select count(*) from range(1000)") == [(1000,)]


@pytest.mark.parametrize("seconds", [0, 0.02, 0.1, 0.3])
def test_a_statement_can_be_cancelled_before_spark_has_begun_with_it(
    warehouse: WarehouseClient, seconds: float
) -> None:
    with warehouse.connect() as connection, connection.cursor() as cursor:
        cursor.execute_async("select count(*) from range(40000000000) where sqrt(id) % 7 = 3")
        time.sleep(seconds)
        cursor.cancel()
        assert cursor.get_query_state() is CommandState.CANCELLED
    assert warehouse.run("select count(*) from range(1000)") == [(1000,)]


# --- errors


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("select * from nowhere", r"\[TABLE_OR_VIEW_NOT_FOUND\].*SQLSTATE: 42P01"),
        ("select * from elsewhere.s.t", r"\[NO_SUCH_CATALOG_EXCEPTION\].*elsewhere"),
        ("drop table main.no_such_schema.t", r"\[(SCHEMA|TABLE_OR_VIEW)_NOT_FOUND\]"),
        ("selec 1", r"\[PARSE_SYNTAX_ERROR\].*SQLSTATE: 42601"),
        ("select cast('x' as int)", r"\[CAST_INVALID_INPUT\].*SQLSTATE: 22018"),
        ("select * from parquet.`/Volumes/main/s/v/x`", r"\[PATH_NOT_FOUND\].*dbfs:/Volumes"),
        ("set no.such.setting = 1", r"\[CONFIG_NOT_AVAILABLE\]"),
        ("add jar 'x.jar'", r"\[UNSUPPORTED_FEATURE.STAND_IN\].*SQLSTATE: 0A000"),
        ("create table main.default.t (a int) using parquet", r"\[UNSUPPORTED_FEATURE.STAND_IN\]"),
        ("select 1; select 2", r"\[PARSE_SYNTAX_ERROR\]"),
    ],
)
def test_a_failure_names_condition_and_state(
    warehouse: WarehouseClient, statement: str, message: str
) -> None:
    with pytest.raises(ServerOperationError, match=rf"(?s){message}"):
        warehouse.run(statement)


def test_an_unknown_catalog_is_refused_when_the_session_opens(warehouse: WarehouseClient) -> None:
    with pytest.raises(Error, match="NO_SUCH_CATALOG_EXCEPTION"):
        warehouse.connect(catalog="elsewhere")


# --- sessions and the list of statements


def test_sessions_do_not_see_each_others_settings(warehouse: WarehouseClient) -> None:
    one, other = warehouse.connect(), warehouse.connect()
    with one.cursor() as cursor:
        cursor.execute("set timezone = 'Asia/Tokyo'")
        cursor.execute("select current_timezone()")
        assert cursor.fetchone()[0] == "Asia/Tokyo"
    with other.cursor() as cursor:
        cursor.execute("select current_timezone()")
        assert cursor.fetchone()[0] == "UTC"


def test_a_schema_may_be_made_after_its_session_was_opened(warehouse: WarehouseClient) -> None:
    with warehouse.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"create schema {warehouse.catalog}.{warehouse.schema}")
        cursor.execute("create table t as select 1 as a")
        cursor.execute("select current_catalog(), current_schema()")
        assert tuple(cursor.fetchone()) == (warehouse.catalog, warehouse.schema)
    assert warehouse.run(f"select * from {warehouse.schema}.t") == [(1,)]


def test_statements_are_listed_with_their_query_tags(warehouse: WarehouseClient) -> None:
    with warehouse.connect(query_tags={"team": "lending"}).cursor() as cursor:
        cursor.execute("select 1", query_tags={"run": "2026:1,a"})
        cursor.execute("set query_tags['step'] = 'load'")
        cursor.execute("select ?", [2])
        with pytest.raises(ServerOperationError):
            cursor.execute("select * from nowhere")
    one, _, two, failed = warehouse.statements()
    assert (one["text"], one["tags"]) == ("select 1", {"team": "lending", "run": "2026:1,a"})
    assert two["tags"] == {"team": "lending", "step": "load"}
    assert two["parameters"] == [{"name": "", "type": "INT", "value": "2"}]
    assert two["seconds"] > 0
    assert failed["error"].startswith("[TABLE_OR_VIEW_NOT_FOUND]")
