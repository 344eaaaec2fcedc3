"""The stand-in serves the unmodified connector: sessions, results, errors, volumes, faults."""

import datetime as dt
import json
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from databricks.sdk.core import Config, oauth_service_principal
from databricks.sql.backend.types import CommandState
from databricks.sql.exc import Error, RequestError, ServerOperationError

from databricks import sql
from tests.databricks.conftest import ROOT, WarehouseClient


@pytest.fixture
def schema(warehouse: WarehouseClient) -> str:
    """A schema that is there, with its catalog."""
    name = f"{warehouse.catalog}.{warehouse.schema}"
    warehouse.run(f"create schema {name}")
    return name


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


# --- tables


def test_inserted_rows_are_counted(warehouse: WarehouseClient, schema: str) -> None:
    with warehouse.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"create table {schema}.t (a int, day string) cluster by (day)")
        cursor.execute(f"insert into {schema}.t values (1, 'mon'), (2, 'mon'), (3, 'tue')")
        assert (cursor.rowcount, tuple(cursor.fetchone())) == (3, (3, 3))
        cursor.execute(f"insert into {schema}.t replace where day = 'mon' select 9, 'mon'")
        assert (cursor.rowcount, tuple(cursor.fetchone())) == (1, (1, 1))
        cursor.execute(f"select * from {schema}.t order by a")
        assert [tuple(row) for row in cursor.fetchall()] == [(3, "tue"), (9, "mon")]
        cursor.execute(f"delete from {schema}.t where a = 3")
        assert cursor.rowcount == 1


def test_a_table_is_delta_and_can_be_restored(warehouse: WarehouseClient, schema: str) -> None:
    warehouse.run(f"create or replace table {schema}.t as select 1 as a")
    warehouse.run(f"create or replace table {schema}.t as select 2 as a")
    with warehouse.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"describe detail {schema}.t")
        assert cursor.fetchone()["format"] == "delta"
        cursor.execute(f"describe history {schema}.t")
        assert [row["version"] for row in cursor.fetchall()] == [1, 0]
        cursor.execute(f"restore table {schema}.t to version as of 0")
        cursor.execute(f"select a from {schema}.t")
        assert cursor.fetchone()[0] == 1


def test_constraints_hold(warehouse: WarehouseClient, schema: str) -> None:
    warehouse.run(f"create table {schema}.t (a int not null, b int)")
    warehouse.run(f"alter table {schema}.t add constraint positive check (b > 0)")
    with pytest.raises(ServerOperationError, match=r"\[DELTA_NOT_NULL_CONSTRAINT_VIOLATED\]"):
        warehouse.run(f"insert into {schema}.t values (null, 1)")
    with pytest.raises(ServerOperationError, match=r"\[DELTA_VIOLATE_CONSTRAINT_WITH_VALUES\]"):
        warehouse.run(f"insert into {schema}.t values (1, 0)")
    assert warehouse.run(f"select count(*) from {schema}.t") == [(0,)]


def test_an_error_that_delta_has_no_text_for_has_its_name(
    warehouse: WarehouseClient, schema: str
) -> None:
    warehouse.run(f"create table {schema}.t (a int)")
    merge = f"merge into {schema}.t t using (select 1 as a) s on t.a = s.nowhere"
    with pytest.raises(ServerOperationError, match=r"\[DELTA_MERGE_UNRESOLVED_EXPRESSION\]"):
        warehouse.run(f"{merge} when matched then delete")


# --- volumes


@pytest.fixture
def volume(warehouse: WarehouseClient, schema: str) -> str:
    """Path of a volume."""
    warehouse.run(f"create volume if not exists {schema}.landing comment 'what came'")
    return f"/Volumes/{warehouse.catalog}/{warehouse.schema}/landing"


def test_files_go_up_and_down_and_away(
    warehouse: WarehouseClient, volume: str, tmp_path: Path
) -> None:
    sent, back = tmp_path / "sent.bin", tmp_path / "back.bin"
    sent.write_bytes(bytes(range(256)) * 4096)
    local = {"staging_allowed_local_path": str(tmp_path)}
    warehouse.run(f"put '{sent}' into '{volume}/day/file.bin' overwrite", **local)
    warehouse.run(f"get '{volume}/day/file.bin' to '{back}'", **local)
    assert back.read_bytes() == sent.read_bytes()
    assert [row[1:3] for row in warehouse.run(f"list '{volume}/day'")] == [("file.bin", 1048576)]
    with pytest.raises(ServerOperationError, match="FILE_ALREADY_EXISTS"):
        warehouse.run(f"put '{sent}' into '{volume}/day/file.bin'", **local)
    warehouse.run(f"remove '{volume}/day/file.bin'", **local)
    with pytest.raises(ServerOperationError, match="PATH_NOT_FOUND"):
        warehouse.run(f"get '{volume}/day/file.bin' to '{back}'", **local)


def test_a_volume_must_be_there(warehouse: WarehouseClient, schema: str, tmp_path: Path) -> None:
    path = f"/Volumes/{schema.replace('.', '/')}/nowhere/x"
    with pytest.raises(ServerOperationError, match="VOLUME_NOT_FOUND"):
        warehouse.run(f"put '{tmp_path}/x' into '{path}'")


def test_parquet_of_a_volume_is_read_and_loaded_once(
    warehouse: WarehouseClient, schema: str, volume: str, tmp_path: Path
) -> None:
    file = tmp_path / "part.parquet"
    pq.write_table(pa.table({"a": [1, 2], "b": ["x", None]}), file)
    put = f"put '{file}' into '{volume}/2026-01-02/part.parquet' overwrite"
    warehouse.run(put, staging_allowed_local_path=str(tmp_path))
    direct = f"select * from parquet.`{volume}/2026-01-02` order by a"
    assert warehouse.run(direct) == [(1, "x"), (2, None)]
    function = f"read_files('{volume}', format => 'parquet', schemaEvolutionMode => 'none')"
    assert warehouse.run(f"select * from {function} order by a") == [(1, "x"), (2, None)]
    warehouse.run(f"create table {schema}.t (a bigint, b string)")
    load = f"copy into {schema}.t from '{volume}' fileformat = parquet"
    assert warehouse.run(load) == [(2, 2, 0)]
    assert warehouse.run(load) == [(0, 0, 0)]
    assert warehouse.run(f"select count(*) from {schema}.t") == [(2,)]


# --- governance


def test_grants_are_recorded_and_checked(warehouse: WarehouseClient, schema: str) -> None:
    warehouse.run(f"create table {schema}.t (a int)")
    warehouse.run(f"grant select, modify on table {schema}.t to `readers`")
    warehouse.run(f"revoke modify on table {schema}.t from `readers`")
    assert warehouse.run(f"show grants on table {schema}.t") == [
        ("readers", "SELECT", "TABLE", f"{schema}.t")
    ]
    with pytest.raises(ServerOperationError, match="PRIVILEGE_NOT_APPLICABLE"):
        warehouse.run(f"grant selekt on table {schema}.t to `readers`")
    with pytest.raises(ServerOperationError, match="TABLE_OR_VIEW_NOT_FOUND"):
        warehouse.run(f"grant select on table {schema}.nowhere to `readers`")
    warehouse.run(f"drop table {schema}.t")
    warehouse.run(f"create table {schema}.t (a int)")
    assert warehouse.run(f"show grants on table {schema}.t") == []


def test_the_information_schema_tells_tables_columns_tags_and_keys(
    warehouse: WarehouseClient, schema: str
) -> None:
    warehouse.run(
        f"create table {schema}.t (a bigint not null comment 'key', m decimal(18, 2),"
        " constraint t_key primary key(a)) comment 'facts'"
    )
    warehouse.run(f"create view {schema}.v as select a from {schema}.t")
    warehouse.run(f"alter table {schema}.t set tags ('domain' = 'lending')")
    warehouse.run(f"comment on column {schema}.t.m is 'money'")
    where = f"where table_schema = '{warehouse.schema}' order by 1, 2"
    views = "system.information_schema"
    assert warehouse.run(f"select table_name, table_type, comment from {views}.tables {where}") == [
        ("t", "MANAGED", "facts"),
        ("v", "VIEW", None),
    ]
    columns = f"table_name, column_name, full_data_type, is_nullable, comment from {views}.columns"
    assert warehouse.run(f"select {columns} {where}")[:2] == [
        ("t", "a", "bigint", "NO", "key"),
        ("t", "m", "decimal(18,2)", "YES", "money"),
    ]
    keys = f"select constraint_name, column_name from {views}.key_column_usage {where}"
    assert warehouse.run(keys) == [("t_key", "a")]
    kinds = f"select constraint_name, constraint_type from {views}.table_constraints {where}"
    assert warehouse.run(kinds) == [("t_key", "PRIMARY KEY")]
    tags = f"select tag_name, tag_value from {views}.table_tags"
    assert warehouse.run(f"{tags} where schema_name = '{warehouse.schema}'") == [
        ("domain", "lending")
    ]


# --- signing in


@pytest.mark.parametrize("token", ["wrong", "dapi00000000000000000000000000000000"])
def test_a_wrong_token_is_refused_at_once(warehouse: WarehouseClient, token: str) -> None:
    with pytest.raises(RequestError, match="Invalid access token"):
        warehouse.connect(access_token=token)


def test_a_service_principal_signs_in(
    warehouse: WarehouseClient,
    warehouse_environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(warehouse.ca_file))
    text = (warehouse.ca_file.parent / "warehouse.env").read_text()
    pairs = dict(line.removeprefix("# ").split("=", 1) for line in text.splitlines() if "=" in line)
    config = Config(
        host=f"https://{warehouse.host}",
        client_id=pairs["DATABRICKS_CLIENT_ID"],
        client_secret=pairs["DATABRICKS_CLIENT_SECRET"],
    )
    with (
        sql.connect(
            server_hostname=warehouse.host,
            http_path=warehouse.environment["DATABRICKS_HTTP_PATH"],
            credentials_provider=lambda: oauth_service_principal(config),
            _connection_uri=f"https://{warehouse.host}{warehouse.environment['DATABRICKS_HTTP_PATH']}",
            _tls_trusted_ca_file=str(warehouse.ca_file),
            enable_telemetry=False,
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("select 1")
        assert cursor.fetchone()[0] == 1


# --- faults


@pytest.mark.parametrize("status", [503, 429])
def test_a_refusal_with_retry_after_is_retried(warehouse: WarehouseClient, status: int) -> None:
    warehouse.arm("refuse", status=status, times=2, retry_after=1, method="ExecuteStatement")
    began = time.monotonic()
    assert warehouse.run("select 1") == [(1,)]
    assert time.monotonic() - began >= 2
    assert [row["struck"] for row in warehouse.request("GET", "/faults")] == [2]


def test_a_slow_start_is_waited_for(warehouse: WarehouseClient) -> None:
    warehouse.arm("slow_start", seconds=3)
    began = time.monotonic()
    assert warehouse.run("select 1") == [(1,)]
    assert time.monotonic() - began >= 3


def test_an_expired_token_is_refused_until_the_fault_is_off(warehouse: WarehouseClient) -> None:
    warehouse.arm("expire_token")
    with pytest.raises(RequestError, match="Invalid access token"):
        warehouse.run("select 1")
    warehouse.disarm()
    assert warehouse.run("select 1") == [(1,)]


def test_the_connection_is_cut_in_the_middle_of_a_result(warehouse: WarehouseClient) -> None:
    warehouse.arm("cut_fetch", skip=1)
    with warehouse.connect() as connection, connection.cursor() as cursor:
        cursor.arraysize = 10_000
        cursor.execute("select id from range(50000)")
        with pytest.raises(Exception, match=r"(?i)connection|incomplete|read"):
            cursor.fetchall()


def test_the_nth_statement_fails_without_having_run(
    warehouse: WarehouseClient, schema: str
) -> None:
    warehouse.arm("fail", at=2, condition="INTERNAL_ERROR", message="out of luck")
    warehouse.run(f"create table {schema}.one (a int)")
    with pytest.raises(ServerOperationError, match=r"\[INTERNAL_ERROR\] out of luck"):
        warehouse.run(f"create table {schema}.two (a int)")
    assert [row[1] for row in warehouse.run(f"show tables in {schema}")] == ["one"]


def test_a_lost_reply_makes_the_connector_send_the_statement_again(
    warehouse: WarehouseClient, schema: str
) -> None:
    warehouse.run(f"create table {schema}.t (a int)")
    warehouse.arm("lose_reply", matching="^insert")
    warehouse.run(f"insert into {schema}.t values (1)")
    assert warehouse.run(f"select a from {schema}.t") == [(1,), (1,)]


def test_a_statement_with_a_lost_reply_has_run(warehouse: WarehouseClient, schema: str) -> None:
    warehouse.run(f"create table {schema}.t (a int)")
    warehouse.arm("lose_reply", matching="^insert")
    with pytest.raises(Exception, match=r"(?i)connection|remote|max retries"):
        warehouse.run(f"insert into {schema}.t values (1)", _enable_v3_retries=False)
    assert warehouse.run(f"select a from {schema}.t") == [(1,)]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_client_is_killed_at_a_statement(
    warehouse: WarehouseClient, schema: str, after: bool
) -> None:
    warehouse.run(f"create table {schema}.t (a int)")
    statement = f"insert into {schema}.t values (1)"
    program = (
        "import json, sys; from tests.databricks.conftest import WarehouseClient;"
        "client = WarehouseClient(json.loads(sys.stdin.readline()));"
        f"client.run({statement!r})"
    )
    victim = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, text=True, cwd=ROOT
    )
    warehouse.arm("kill", matching="^insert", pid=victim.pid, after=after)
    assert victim.stdin is not None
    victim.stdin.write(json.dumps(warehouse.environment) + "\n")
    victim.stdin.close()
    assert victim.wait(120) == -9
    assert warehouse.run(f"select count(*) from {schema}.t") == [(int(after),)]


def test_faults_strike_their_own_client_only(
    warehouse: WarehouseClient, warehouse_environment: dict[str, str]
) -> None:
    warehouse.arm("expire_token")
    assert WarehouseClient(warehouse_environment).run("select 1") == [(1,)]
