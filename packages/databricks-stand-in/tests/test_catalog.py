"""The stand-in keeps what Unity Catalog keeps: tables, volumes, grants, its information schema."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from databricks.sql.exc import ServerOperationError

from databricks_stand_in.client import WarehouseClient

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
