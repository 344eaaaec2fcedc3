"""The table that readers use: replaced in one step, verified, restored if it differs."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from databricks_stand_in.client import WarehouseClient
from lending_club_pipeline.contract.errors import OutputError
from lending_club_pipeline.publish.tables import SUMMARY_COLUMNS
from lending_club_pipeline.warehouse.databricks.statements import StatementSession
from lending_club_pipeline.warehouse.serving import ServingVersion
from tests.databricks.deliveries import MART, make_mart
from tests.databricks.pipelines import warehouse_of

COLUMNS = list(SUMMARY_COLUMNS)
ROWS, BALANCE = 2, Decimal("300.50")
OLD = [(1, "A1", Decimal("100.00")), (2, "A2", Decimal("200.50"))]
NEW = [(1, "A1", Decimal("300.00")), (2, "A2", Decimal("200.50"))]
CHANGED_MART = MART.replace("cast(100 as", "cast(300 as")


def _publish(
    client: WarehouseClient,
    folder: Path,
    rows: int = ROWS,
    balance: Decimal = BALANCE,
    **changed: Any,
) -> ServingVersion:
    warehouse = warehouse_of(client, folder, **changed)
    with warehouse.session(read_only=True):
        return warehouse.serving().publish(COLUMNS, rows, balance)


def _readers_see(client: WarehouseClient) -> list[tuple[Any, ...]]:
    name = f"{client.schema}.account_summary_serving"
    return client.run(
        f"select customer_id, account_id, original_balance from {name} order by account_id"
    )


def _version(client: WarehouseClient) -> int:
    history = client.run(f"describe history {client.schema}.account_summary_serving limit 1")
    return int(history[0][0])


def _properties(client: WarehouseClient) -> dict[str, str]:
    rows = client.run(f"show tblproperties {client.schema}.account_summary_serving")
    return {str(row[0]): str(row[1]) for row in rows}


def test_what_is_published_is_verified_granted_commented_and_kept(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    make_mart(warehouse)

    served = _publish(warehouse, tmp_path, databricks_readers="finance-readers, risk`readers")

    name = f"{warehouse.catalog}.{warehouse.schema}.account_summary_serving"
    assert _readers_see(warehouse) == OLD
    assert (served.table, served.version) == (name, _version(warehouse))
    assert served.version > served.previous_version
    assert served.fingerprint.row_count == ROWS
    assert served.fingerprint.original_balance == BALANCE
    assert served.fingerprint.new_balance == Decimal("305.51")
    grants = warehouse.run(f"show grants on table {name}")
    assert sorted(row[:2] for row in grants) == [
        ("finance-readers", "SELECT"),
        ("risk`readers", "SELECT"),
    ]
    described = warehouse.run(f"describe table {name}")
    comments = {row[0]: row[2] for row in described if row[0] in {it.name for it in COLUMNS}}
    assert comments == {column.name: column.comment for column in COLUMNS}
    assert all(comments.values())
    properties = _properties(warehouse)
    assert properties["delta.deletedFileRetentionDuration"] == "interval 30 days"
    assert properties["delta.logRetentionDuration"] == "interval 30 days"


@pytest.mark.exhaustive
def test_a_changed_number_of_days_is_applied_to_the_table_that_is_there(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    make_mart(warehouse)
    _publish(warehouse, tmp_path)

    _publish(warehouse, tmp_path, databricks_history_days=7)

    assert _properties(warehouse)["delta.deletedFileRetentionDuration"] == "interval 7 days"
    assert _readers_see(warehouse) == OLD


@pytest.mark.exhaustive
def test_lost_replies_never_double_rows_that_readers_see(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    make_mart(warehouse)
    lost = ["^create table", "^describe history", "^insert overwrite", "^select 0", "^grant"]
    for matching in lost:
        warehouse.arm("lose_reply", matching=matching)

    served = _publish(warehouse, tmp_path, databricks_readers="finance")

    faults = warehouse.request("GET", "/faults")
    assert [fault["struck"] for fault in faults] == [1] * len(lost)
    assert _readers_see(warehouse) == OLD
    assert served.version == _version(warehouse)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(
            "insert into {table} select 9, 'X9', 1.00, 0.01, 0.01, 1.01",
            id="rows-added",
            marks=pytest.mark.exhaustive,
        ),
        pytest.param(
            "delete from {table} where account_id = 'A2'",
            id="rows-deleted",
            marks=pytest.mark.exhaustive,
        ),
        pytest.param(
            "update {table} set account_id = 'A3' where account_id = 'A2'", id="a-key-changed"
        ),
    ],
)
def test_another_writer_before_the_verification_is_undone_and_told(
    warehouse: WarehouseClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    make_mart(warehouse)
    _publish(warehouse, tmp_path)
    before = _version(warehouse)
    make_mart(warehouse, CHANGED_MART)
    run = StatementSession.run

    def run_and_interfere(session: StatementSession, statement: str) -> None:
        run(session, statement)
        if statement.startswith("insert overwrite"):
            warehouse.run(change.format(table=f"{warehouse.schema}.account_summary_serving"))

    monkeypatch.setattr(StatementSession, "run", run_and_interfere)
    warehouse.arm("lose_reply", matching="^restore")

    with pytest.raises(OutputError) as caught:
        _publish(warehouse, tmp_path, balance=Decimal("500.50"))

    assert _readers_see(warehouse) == OLD
    message = str(caught.value)
    assert "\n" not in message
    assert f"Version {before} is restored; look for another writer of this table" in message

    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    _publish(warehouse, tmp_path, balance=Decimal("500.50"))
    assert _readers_see(warehouse) == NEW


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("rows", "balance"), [(3, Decimal("500.50")), (2, Decimal("500.51"))], ids=["rows", "cents"]
)
def test_a_table_that_differs_from_the_ledger_is_restored(
    warehouse: WarehouseClient, tmp_path: Path, rows: int, balance: Decimal
) -> None:
    make_mart(warehouse)
    _publish(warehouse, tmp_path)
    make_mart(warehouse, CHANGED_MART)

    with pytest.raises(OutputError, match=f"the ledger says {rows} accounts with {balance}"):
        _publish(warehouse, tmp_path, rows, balance)

    assert _readers_see(warehouse) == OLD
