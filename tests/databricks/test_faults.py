"""Faults of a SQL warehouse: retried or told, and never rows twice or a part of a table."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from databricks_stand_in.client import WarehouseClient
from lending_club_pipeline.contract.errors import WarehouseError
from lending_club_pipeline.files.atomic import replacing
from lending_club_pipeline.warehouse.databricks import result_files
from lending_club_pipeline.warehouse.databricks.catalog import Catalog
from lending_club_pipeline.warehouse.databricks.errors import TransientWarehouseError
from lending_club_pipeline.warehouse.databricks.loader import Loader
from lending_club_pipeline.warehouse.databricks.raw_tables import RawSchema
from tests.databricks.deliveries import ACCOUNTS, DAY, RESTATED, land_delivery
from tests.databricks.pipelines import (
    count_statements,
    files_in_volume,
    statement_session,
    warehouse_of,
)

LONG_RESULT = "select id, concat('row ', id) as name from range(300000) order by id"


def _failure(client: WarehouseClient, folder: Path, **changed: Any) -> WarehouseError:
    """Open a session and run a statement, which must fail in one line without a secret."""
    with (
        pytest.raises(WarehouseError) as caught,
        statement_session(client, folder, **changed) as session,
    ):
        session.fetch("select 1 as one")
    message = str(caught.value)
    assert "\n" not in message
    assert client.token not in message
    return caught.value


# --- faults that pass by themselves


@pytest.mark.parametrize("status", [503, 429])
@pytest.mark.parametrize("method", ["OpenSession", "ExecuteStatement"])
def test_a_refusal_with_retry_after_is_waited_for(
    warehouse: WarehouseClient, tmp_path: Path, status: int, method: str
) -> None:
    warehouse.arm("refuse", status=status, times=2, retry_after=1, method=method)
    began = time.monotonic()

    with statement_session(warehouse, tmp_path) as session:
        assert session.fetch("select 1 as one") == [{"one": 1}]

    assert time.monotonic() - began >= 2
    assert [fault["struck"] for fault in warehouse.request("GET", "/faults")] == [2]


def test_a_warehouse_that_starts_slowly_is_waited_for(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    warehouse.arm("slow_start", seconds=4)
    began = time.monotonic()

    with statement_session(warehouse, tmp_path) as session:
        assert session.fetch("select 1 as one") == [{"one": 1}]

    assert time.monotonic() - began >= 4


def test_a_fault_that_does_not_pass_is_given_up_and_told(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    warehouse.arm("refuse", times=1000)
    began = time.monotonic()

    error = _failure(warehouse, tmp_path, databricks_retry_seconds=3)

    assert time.monotonic() - began < 30
    assert isinstance(error, TransientWarehouseError)
    assert "the SQL warehouse did not answer for 3 s" in str(error)
    assert "nothing has to be cleaned up" in str(error)
    assert "DATABRICKS_RETRY_SECONDS" in str(error)


def test_a_stream_that_is_cut_while_somebody_reads_it_is_explained(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    mine = warehouse_of(warehouse, tmp_path)
    warehouse.arm("cut_fetch", skip=1, times=9)

    with (
        mine.session(read_only=True),
        pytest.raises(WarehouseError) as caught,
        mine.stream(LONG_RESULT) as reader,
    ):
        reader.read_all()

    assert warehouse.host in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_goes_wrong_with_the_rows_of_a_stream_is_no_fault_of_the_warehouse(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    mine = warehouse_of(warehouse, tmp_path)

    with (
        mine.session(read_only=True),
        pytest.raises(ZeroDivisionError),
        mine.stream("select 0 as nothing") as reader,
    ):
        1 / reader.read_all()["nothing"][0].as_py()


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_a_stream_that_is_cut_is_begun_anew_and_the_file_is_whole(
    warehouse: WarehouseClient, tmp_path: Path, file_format: Any
) -> None:
    target = tmp_path / "result"
    with statement_session(warehouse, tmp_path) as session:
        undisturbed = tmp_path / "undisturbed"
        result_files.write_result(session, LONG_RESULT, undisturbed, file_format)
        warehouse.arm("cut_fetch", skip=1)

        rows = result_files.write_result(session, LONG_RESULT, target, file_format)

    assert [fault["struck"] for fault in warehouse.request("GET", "/faults")] == [1]
    assert rows == 300_000
    assert target.read_bytes() == undisturbed.read_bytes()
    if file_format == "parquet":
        counted = duckdb.sql(
            f"select count(*), count(distinct id) from read_parquet('{target}')"
        ).fetchall()
        assert counted == [(300_000, 300_000)]
    assert not list(tmp_path.glob("*.stream.*"))


_DIES_WITH_A_STREAM = """
import sys
from pathlib import Path
from lending_club_pipeline.files.atomic import Publication
from lending_club_pipeline.warehouse.databricks.result_files import _stream_of
work = Publication().temp_path_for(Path(sys.argv[1]))
_stream_of(work).touch()
work.touch()
"""


def test_the_stream_of_a_killed_run_is_removed_by_the_next_one(tmp_path: Path) -> None:
    program = [sys.executable, "-c", _DIES_WITH_A_STREAM]
    ended = subprocess.run([*program, str(tmp_path / "account_summary.csv")], check=False)
    assert ended.returncode == 0
    assert len(list(tmp_path.iterdir())) == 2

    with replacing(tmp_path / "account_summary.csv") as work:
        work.touch()

    assert [path.name for path in tmp_path.iterdir()] == ["account_summary.csv"]


def test_a_writer_that_came_first_is_waited_for(warehouse: WarehouseClient, tmp_path: Path) -> None:
    warehouse.arm("fail", times=2, condition="DELTA_CONCURRENT_APPEND", message="Files were added.")

    with statement_session(warehouse, tmp_path) as session:
        assert session.fetch("select 1 as one") == [{"one": 1}]


# --- faults that do not


def test_an_expired_token_fails_at_once_and_says_what_to_do(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    warehouse.arm("expire_token")
    began = time.monotonic()

    error = _failure(warehouse, tmp_path)

    assert time.monotonic() - began < 10
    assert not isinstance(error, TransientWarehouseError)
    assert "the sign-in was refused. Renew DATABRICKS_TOKEN" in str(error)
    assert [fault["struck"] for fault in warehouse.request("GET", "/faults")] == [1]


def test_a_token_that_expires_between_two_statements(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    with statement_session(warehouse, tmp_path) as session:
        session.fetch("select 1 as one")
        warehouse.arm("expire_token")
        with pytest.raises(WarehouseError, match="Renew DATABRICKS_TOKEN"):
            session.fetch("select 2 as two")
        warehouse.disarm()


def test_a_catalog_that_is_not_there(warehouse: WarehouseClient, tmp_path: Path) -> None:
    error = _failure(warehouse, tmp_path, databricks_catalog="elsewhere")

    assert str(error).endswith(
        "this catalog does not exist. Correct DATABRICKS_CATALOG, or ask for it to be made "
        "(NO_SUCH_CATALOG_EXCEPTION)."
    )


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("INSUFFICIENT_PERMISSIONS", "a right is missing. Ask the administrator for the rights"),
        ("SCHEMA_NOT_FOUND", "this schema does not exist. Correct DATABRICKS_SCHEMA"),
        ("INTERNAL_ERROR", "a statement failed (INTERNAL_ERROR). The query history"),
    ],
)
def test_a_statement_that_fails_for_good_is_sent_once(
    warehouse: WarehouseClient, tmp_path: Path, condition: str, said: str
) -> None:
    warehouse.arm("fail", times=9, condition=condition, message="row 4711 of Ada Lovelace")

    error = _failure(warehouse, tmp_path)

    assert said in str(error)
    assert "Lovelace" not in str(error)
    assert [fault["struck"] for fault in warehouse.request("GET", "/faults")] == [1]


# --- the raw tables


def _loaded(client: WarehouseClient) -> dict[str, list[Any]]:
    return {
        table: sorted(client.run(f"select {columns} from {client.schema}.{table}"))
        for table, columns in {
            "accounts_raw": "as_of_date, record_number, account_id, balance",
            "customers_raw": "as_of_date, record_number, name",
            "rejected_records": "as_of_date, line_number, raw_record",
            "delivered_files": "as_of_date, source_file, landed_records, rejected_records",
        }.items()
    }


EXPECTED = {
    "accounts_raw": [
        (DAY, 1, "A1", "100.00"),
        (DAY, 2, "A2", "15000.10"),
        (DAY, 3, "A3", "20000.55"),
        (DAY, 4, "A4", "7.00"),
        (DAY, 5, "A5", "8.00"),
    ],
    "customers_raw": [
        (DAY, 1, "Ada Lovelace"),
        (DAY, 2, "Grace Hopper"),
        (DAY, 3, "Åsa Öberg"),
    ],
    "rejected_records": [(DAY, 7, "too,short")],
    "delivered_files": [(DAY, "Customer.csv", 3, 0), (DAY, "accounts.csv", 5, 1)],
}


def _load(client: WarehouseClient, folder: Path, accounts: str = ACCOUNTS) -> bool:
    landed = land_delivery(folder, accounts)
    schema = RawSchema(client.catalog, client.schema, "landing")
    with statement_session(client, folder) as session:
        catalog = Catalog(session, client.catalog, client.schema)
        return Loader(session, schema, folder / "landing", 2**28, 1, catalog).load(landed, DAY)


@pytest.mark.exhaustive
def test_lost_replies_never_double_rows_of_the_raw_tables(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    lost = [
        "^create schema",
        "^create volume",
        "^create table .*customers_raw",
        "^put .*accounts_raw",
        "^insert into .*`customers_raw`",
        "^insert into .*`accounts_raw`",
        "^insert into .*`rejected_records`",
        "^insert into .*`delivered_files`",
        "^list",
    ]
    for matching in lost:
        warehouse.arm("lose_reply", matching=matching)

    assert _load(warehouse, tmp_path)

    faults = warehouse.request("GET", "/faults")
    assert [fault["struck"] for fault in faults] == [1] * len(lost)
    assert _loaded(warehouse) == EXPECTED


@pytest.mark.exhaustive
def test_an_error_after_the_nth_statement_of_a_load_is_no_obstacle(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    warehouse.arm("fail", matching="^insert into .*`delivered_files`")
    with pytest.raises(WarehouseError, match="a statement failed"):
        _load(warehouse, tmp_path)
    left = files_in_volume(warehouse)
    assert len(left) == 4
    # What a run leaves that is killed while it uploads.
    (tmp_path / "landing" / ".upload-killed" / "accounts_raw").mkdir(parents=True)

    assert _load(warehouse, tmp_path)

    assert _loaded(warehouse) == EXPECTED
    kept = files_in_volume(warehouse)
    assert len(kept) == 4
    assert not set(kept) & set(left)
    assert not list((tmp_path / "landing").glob(".upload-*"))


@pytest.mark.exhaustive
def test_an_unchanged_delivery_is_not_uploaded_and_a_restated_one_replaces_it(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    assert _load(warehouse, tmp_path)

    sent = count_statements(warehouse, lambda: _load(warehouse, tmp_path))

    assert len(sent) == 1
    assert sent[0].startswith("select 'customers_raw' as name")

    assert _load(warehouse, tmp_path, RESTATED)
    restated = [(DAY, 1, "A1", "300.00"), *EXPECTED["accounts_raw"][1:]]
    assert _loaded(warehouse) == EXPECTED | {"accounts_raw": restated}


# --- a missing catalog or right stops a run before it does anything


def test_a_run_that_may_not_begin_leaves_nothing(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    warehouse.arm("fail", times=9, condition="PERMISSION_DENIED", message="no", state="42501")

    with (
        pytest.raises(WarehouseError, match="a right is missing"),
        warehouse_of(warehouse, tmp_path).session(run_id="r1"),
    ):
        pytest.fail("the session was opened")

    warehouse.disarm()
    assert warehouse.run(f"show schemas like '{warehouse.schema}'") == []
