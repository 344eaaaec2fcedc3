"""A day that is dropped leaves nothing in the marts of records, the raw tables and the volume."""

import datetime as dt
from pathlib import Path

import pytest

from databricks_stand_in.client import WarehouseClient
from tests.databricks.deliveries import DAY
from tests.databricks.pipelines import files_in_volume, loaded_session

RAW = ("customers_raw", "accounts_raw", "rejected_records", "delivered_files")
MARTS = ("account_summary_daily", "quarantined_records")


@pytest.mark.exhaustive
def test_a_dropped_day_is_gone_everywhere_and_can_be_dropped_and_loaded_again(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    with loaded_session(warehouse, tmp_path) as pipeline:
        for mart in MARTS:
            warehouse.run(
                f"create table {warehouse.schema}.{mart} as select date'{DAY}' as as_of_date "
                f"union all select date'{DAY + dt.timedelta(days=1)}'"
            )
        before = files_in_volume(warehouse)
        counts = {table: count(warehouse, table) for table in RAW}

        pipeline.drop_days([DAY])
        pipeline.drop_days([DAY])

        assert before
        assert files_in_volume(warehouse) == []
        assert {table: count(warehouse, table) for table in RAW} == dict.fromkeys(RAW, 0)
        assert {mart: count(warehouse, mart) for mart in MARTS} == dict.fromkeys(MARTS, 1)

        pipeline.load_raw(tmp_path / "landing", DAY)
        assert {table: count(warehouse, table) for table in RAW} == counts
    assert counts == {
        "customers_raw": 3,
        "accounts_raw": 5,
        "rejected_records": 1,
        "delivered_files": 2,
    }


def count(client: WarehouseClient, table: str) -> int:
    return int(client.run(f"select count(*) from {client.schema}.{table}")[0][0])
