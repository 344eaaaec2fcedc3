"""What is written to a table that somebody changed: the right thing by name, or nothing at all."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from databricks_stand_in.client import WarehouseClient
from lending_club_pipeline.contract.errors import WarehouseError
from lending_club_pipeline.contract.tables import ExpectedTable
from lending_club_pipeline.publish.tables import SUMMARY_COLUMNS
from lending_club_pipeline.runs.day_journal import DayJournal
from lending_club_pipeline.runs.day_states import DayState, read_days
from lending_club_pipeline.warehouse.serving import ServingColumn
from tests.databricks.deliveries import ACCOUNTS, DAY, RESTATED, land_delivery, make_mart
from tests.databricks.pipelines import warehouse_of

KEYS = [("A1", "1"), ("A2", "1"), ("A3", "2"), ("A4", "3"), ("A5", "9")]


def load(
    client: WarehouseClient, folder: Path, accounts: str = ACCOUNTS, *, force: bool = False
) -> bool:
    """Land and load a delivery; say whether anything was loaded."""
    landed = land_delivery(folder, accounts)
    warehouse = warehouse_of(client, folder)
    before = len(client.statements())
    with warehouse.session(read_only=True):
        warehouse.load_raw(landed.parent, DAY, force=force)
    sent = [ran["text"] for ran in client.statements()[before:]]
    return any(statement.startswith("insert into") for statement in sent)


def keys(client: WarehouseClient) -> list[tuple[str, str]]:
    rows = client.run(
        f"select account_id, customer_id from {client.schema}.accounts_raw order by record_number"
    )
    return [(row[0], row[1]) for row in rows]


# One changed character in each table, and rows of which only the number is right.
DAMAGES = (
    "update {s}.accounts_raw set account_id = customer_id, customer_id = account_id",
    "update {s}.customers_raw set name = 'Ada Lovelacf' where customer_id = '1'",
    "update {s}.rejected_records set raw_record = 'too,shorter'",
    "update {s}.delivered_files set physical_lines = 99 where source_file = 'accounts.csv'",
)


@pytest.mark.exhaustive
def test_a_moved_column_changes_nothing_and_changed_rows_are_loaded_again(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    assert load(warehouse, tmp_path)
    assert not load(warehouse, tmp_path)
    assert load(warehouse, tmp_path, force=True)

    warehouse.run(
        f"alter table {warehouse.schema}.accounts_raw alter column account_id after balance"
    )
    assert load(warehouse, tmp_path, RESTATED)
    assert keys(warehouse) == KEYS

    for damage in DAMAGES:
        warehouse.run(damage.format(s=warehouse.schema))
        assert load(warehouse, tmp_path, RESTATED), damage
        assert keys(warehouse) == KEYS


BY_NAME = (
    "set tblproperties ('delta.columnMapping.mode' = 'name', "
    "'delta.minReaderVersion' = '2', 'delta.minWriterVersion' = '5')"
)
# Statements that change the table {t}, and what is to be said of it.
CHANGES = {
    "added": (
        ["alter table {t} add column note string"],
        "it has the column note that the pipeline",
    ),
    "renamed": (
        ["alter table {t} " + BY_NAME, "alter table {t} rename column name to full_name"],
        "it lacks the column name; it has the column full_name that the pipeline",
    ),
    "dropped": (
        ["alter table {t} " + BY_NAME, "alter table {t} drop column has_loan"],
        "it lacks the column has_loan",
    ),
    "of another type": (
        ["create or replace table {t} as select * except (loaded_at), '1' as loaded_at from {t}"],
        "column loaded_at is of type string instead of timestamp_ntz",
    ),
    "of another kind": (
        ["drop table {t}", "create view {t} as select 1 as customer_id"],
        "it is not a table but a view",
    ),
    "of another owner": (
        ["alter table {t} owner to `somebody@else`"],
        "belongs to somebody@else",
    ),
}


def test_a_table_that_is_not_ours_any_more_is_named_and_nothing_is_written(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    landed = land_delivery(tmp_path)
    pipeline = warehouse_of(warehouse, tmp_path)
    table = f"{warehouse.catalog}.{warehouse.schema}.customers_raw"
    for statement in pipeline.schema.creations():
        warehouse.run(statement)
    (made,) = (it for it in pipeline.schema.creations() if "customers_raw" in it)
    for how, (statements, said) in CHANGES.items():
        for statement in statements:
            warehouse.run(statement.format(t=table))

        with pytest.raises(WarehouseError) as caught, pipeline.session(read_only=True):
            pipeline.load_raw(landed.parent, DAY)

        message = str(caught.value)
        assert "the table customers_raw" in message, how
        assert said in message, how
        assert "Nothing was written" in message
        assert "\n" not in message
        warehouse.run(f"drop {'view' if how == 'of another kind' else 'table'} {table}")
        warehouse.run(made)
    assert warehouse.run(f"select * from {warehouse.schema}.accounts_raw") == []


def test_what_dbt_writes_to_is_compared_as_well(warehouse: WarehouseClient, tmp_path: Path) -> None:
    table = f"{warehouse.catalog}.{warehouse.schema}.account_summary_daily"
    warehouse.run(f"create schema {warehouse.catalog}.{warehouse.schema}")
    warehouse.run(f"create table {table} (as_of_date date, balance decimal(20, 2)) using delta")
    expected = ExpectedTable(
        "account_summary_daily", {"as_of_date": "date", "balance": "decimal(18, 2)"}
    )
    pipeline = warehouse_of(warehouse, tmp_path)

    with (
        pipeline.session(read_only=True),
        pytest.raises(WarehouseError, match=r"balance is of type decimal\(20,2\) instead of"),
    ):
        pipeline.check_tables([expected])


def test_the_serving_table_takes_no_rows_that_do_not_fit_it(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    make_mart(warehouse)
    pipeline = warehouse_of(warehouse, tmp_path)
    columns = [ServingColumn(it.name, it.type, "") for it in SUMMARY_COLUMNS]
    with pipeline.session(read_only=True):
        pipeline.serving().publish(columns, 2, Decimal("300.50"))
    table = f"{warehouse.schema}.account_summary_serving"
    warehouse.run(f"alter table {table} add column note string")

    with (
        pipeline.session(read_only=True),
        pytest.raises(WarehouseError, match=r"account_summary_serving .* the column note"),
    ):
        pipeline.serving().publish(columns, 2, Decimal("300.50"))


def test_a_table_of_days_of_an_older_version_gets_the_columns_that_it_lacks(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    pipeline = warehouse_of(warehouse, tmp_path)
    table = f"{warehouse.catalog}.{warehouse.schema}.pipeline_days"
    warehouse.run(f"create schema {warehouse.catalog}.{warehouse.schema}")
    warehouse.run(f"create table {table} (as_of_date date, built_at timestamp_ntz, run_id string)")
    warehouse.run(f"insert into {table} values (date'2026-01-01', null, 'older')")

    with pipeline.session(read_only=True):
        DayJournal.begin(pipeline, "newer").begin_build([DAY], "of this project")
        known = read_days(pipeline)

    assert known[dt.date(2026, 1, 1)] == DayState(dt.date(2026, 1, 1), run_id="older")
    assert known[DAY].build_attempts == 1
