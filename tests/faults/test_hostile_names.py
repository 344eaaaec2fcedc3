"""The same bytes wherever folders lie and whatever they are called."""

import datetime as dt
import shutil
from pathlib import Path

import pytest

from lending_club_pipeline.ingest.landed_files import landed_folder, read_landed_files
from lending_club_pipeline.warehouse.duckdb import DuckDBWarehouse
from tests.faults.landings import Landing
from tests.faults.names import HOSTILE
from tests.workspaces import AS_OF

COLUMNS = ["as_of_date", "source_file", "record_number", "account_id", "customer_id", "balance"]
MEMORY = 2**29
# As dbt's macro `is_of_this_run` asks for one day and for several.
DAYS = [
    "= cast('2024-05-05' as date)",
    "in (cast('2024-05-05' as date), cast('2024-05-06' as date))",
]


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    return DuckDBWarehouse(tmp_path / "lending_club.duckdb", MEMORY, threads=1)


def columns_of(warehouse: DuckDBWarehouse, view: str) -> list[str]:
    return [row["column_name"] for row in warehouse.fetch(f"describe {view}")]


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_delivery_is_landed_viewed_and_written_below_a_folder_of_any_name(
    name: str, tmp_path: Path, warehouse: DuckDBWarehouse
) -> None:
    plain, hostile = Landing(tmp_path / "plain"), Landing(tmp_path / name / name)
    plain.deliver()
    hostile.deliver()
    files = plain.land().files
    assert hostile.land().files == files
    assert hostile.landed_bytes() == plain.landed_bytes()
    assert read_landed_files(landed_folder(hostile.target, AS_OF)) == files

    with warehouse.session():
        rows, columns = {}, {}
        for landing in (plain, hostile):
            warehouse.load_raw(landing.target, AS_OF)
            views = ("customers_raw", "accounts_raw", "delivered_files", "rejected_records")
            columns[landing] = {view: columns_of(warehouse, view) for view in views}
            rows[landing] = {view: warehouse.fetch(f"from {view}") for view in views}
            for kind in ("csv", "parquet"):
                warehouse.copy_to_file("from accounts_raw", landing.root / f"out.{kind}", kind)
                assert (landing.root / f"out.{kind}").read_bytes() == (
                    plain.root / f"out.{kind}"
                ).read_bytes()
            csv = landing.root / "converted.csv"
            assert warehouse.convert_to_csv(landing.root / "out.parquet", csv) == 2
            assert csv.read_bytes() == (landing.root / "out.csv").read_bytes()

    assert columns[hostile] == columns[plain]
    assert columns[hostile]["accounts_raw"][: len(COLUMNS)] == COLUMNS
    assert rows[hostile] == rows[plain]
    assert [row["as_of_date"] for row in rows[hostile]["delivered_files"]] == [AS_OF, AS_OF]


def test_a_folder_of_one_name_is_not_read_for_a_neighbour_that_its_name_matches(
    tmp_path: Path, warehouse: DuckDBWarehouse
) -> None:
    for name in ("a?b", "axb", "a*b", "a[x]b"):
        landing = Landing(tmp_path / name)
        landing.deliver()
        landing.land()
    with warehouse.session():
        for name in ("a?b", "a*b", "a[x]b"):
            warehouse.load_raw(tmp_path / name / "landing", AS_OF)
            assert len(warehouse.fetch("from accounts_raw")) == 2


@pytest.mark.parametrize("condition", DAYS)
def test_one_day_of_many_is_read_without_opening_the_records_of_others(
    tmp_path: Path, warehouse: DuckDBWarehouse, condition: str
) -> None:
    landing = Landing(tmp_path)
    landing.deliver()
    landing.land()
    landed = landed_folder(landing.target, AS_OF)
    for days in range(40):
        date = dt.date(2024, 5, 1) + dt.timedelta(days=days)
        folder = landed_folder(landing.target, date)
        shutil.copytree(landed, folder)
        # The first day says what columns there are.
        if date.day not in (1, 5, 6):
            # Whoever opened this as Parquet would fail.
            (folder / "accounts.parquet").write_bytes(b"no Parquet")
    with warehouse.session():
        warehouse.load_raw(landing.target, AS_OF)
        query = f"select customer_id from accounts_raw where as_of_date {condition}"
        assert {row["customer_id"] for row in warehouse.fetch(query)} == {"1", "2"}
