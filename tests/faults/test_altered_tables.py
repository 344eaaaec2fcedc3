"""Tables of the database that somebody altered by hand: nothing is written to them by mistake."""

import datetime as dt
from pathlib import Path

import duckdb
import pytest

from lending_club_pipeline.contract.errors import WarehouseError
from lending_club_pipeline.contract.tables import ExpectedTable
from lending_club_pipeline.warehouse.duckdb import DuckDBWarehouse
from tests.faults.landings import ACCOUNTS, CUSTOMERS
from tests.workspaces import Workspace

NEXT = dt.date(2026, 2, 1)


def test_a_run_writes_by_name_where_columns_were_moved_and_nothing_where_one_was_added(
    processed_workspace: Workspace,
) -> None:
    processed = processed_workspace
    processed.deliver(CUSTOMERS, ACCOUNTS, NEXT)
    with duckdb.connect(str(processed.database)) as connection:
        connection.execute(
            "create or replace table account_summary_daily as select account_id, new_balance, "
            "customer_id, original_balance, as_of_date, annual_interest, interest_rate "
            "from account_summary_daily"
        )
    before = processed.output_bytes()["account_summary.csv"]

    assert processed.run(NEXT).outcome == "success"
    assert processed.output_bytes()["account_summary.csv"] == before

    with duckdb.connect(str(processed.database)) as connection:
        connection.execute("alter table delivery_ledger add column note varchar")
        rows = connection.execute("from account_summary_daily order by all").fetchall()
    outputs = processed.output_bytes()
    processed.deliver(CUSTOMERS, ACCOUNTS.replace(b"100", b"200"), NEXT)

    report = processed.run(NEXT)

    assert report.outcome == "failed"
    assert "the table delivery_ledger is not as this pipeline makes it" in report.message
    assert "the column note that the pipeline does not make" in report.message
    assert "\n" not in report.message
    assert processed.output_bytes() == outputs
    with duckdb.connect(str(processed.database)) as connection:
        assert connection.execute("from account_summary_daily order by all").fetchall() == rows


EXPECTED = ExpectedTable("things", {"name": "string", "amount": "decimal(18, 2)"})


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ("table things (amount decimal(18, 2), name varchar)", None),
        ("table things (name varchar)", "it lacks the column amount"),
        (
            "table things (name varchar, sum decimal(18, 2))",
            "it has the column sum that the pipeline",
        ),
        (
            "table things (name varchar, amount decimal(20, 2))",
            "column amount is of type DECIMAL(20,2) instead of DECIMAL(18,2)",
        ),
        ("table things (name blob, amount decimal(18, 2))", "column name is of type BLOB instead"),
        ("view things as select 1 as name", "it is not a table but a view"),
        ("table others (name varchar)", None),
    ],
)
def test_a_table_is_compared_with_what_will_be_written(
    tmp_path: Path, definition: str, said: str | None
) -> None:
    warehouse = DuckDBWarehouse(tmp_path / "things.duckdb", 2**28)
    with warehouse.session():
        warehouse.fetch(f"create {definition}")
        if said is None:
            warehouse.check_tables([EXPECTED])
            return
        with pytest.raises(WarehouseError) as caught:
            warehouse.check_tables([EXPECTED])

    assert "the table things is not as this pipeline makes it" in str(caught.value)
    assert said in str(caught.value)


def test_columns_that_its_writer_adds_may_be_missing(tmp_path: Path) -> None:
    warehouse = DuckDBWarehouse(tmp_path / "things.duckdb", 2**28)
    with warehouse.session():
        warehouse.fetch("create table things (name varchar)")
        warehouse.check_tables([ExpectedTable("things", EXPECTED.columns, may_lack_columns=True)])


def test_a_table_in_the_place_of_a_view_of_landed_files_is_named(tmp_path: Path) -> None:
    warehouse = DuckDBWarehouse(tmp_path / "things.duckdb", 2**28)
    with warehouse.session():
        warehouse.fetch("create table customers_raw (name varchar)")
        with pytest.raises(WarehouseError, match="customers_raw is a table, where this pipeline"):
            warehouse.load_raw(tmp_path, NEXT)
