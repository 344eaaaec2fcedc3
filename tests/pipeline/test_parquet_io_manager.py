"""Assets kept as Parquet files, and loaded as the frame that the annotation names."""

import decimal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import fsspec
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lending_club_pipeline.config.settings import load_settings
from lending_club_pipeline.contract.errors import OutputError
from lending_club_pipeline.defs.io_managers import ParquetIOManager

AMOUNT = decimal.Decimal("10000.00")
TABLE = pa.table(
    {
        "account_id": ["A1", "A2"],
        "balance": pa.array([AMOUNT, AMOUNT], pa.decimal128(18, 2)),
    }
)


class Query:
    """What an engine writes by itself."""

    def write_parquet(self, work: Path) -> int:
        duckdb.connect().execute(f"copy (select 'A1' as account_id) to '{work}' (format parquet)")
        return 1


def stream() -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_batches(TABLE.schema, iter(TABLE.to_batches()))


def materialize(
    base: Path | str, made: object, wanted: type | None = None
) -> dg.ExecuteInProcessResult:
    @dg.asset(io_manager_key="parquet")
    def balances_parquet() -> Any:
        return made

    def load(balances_parquet: Any) -> Any:
        received.append(balances_parquet)

    received: list[Any] = []
    assets: list[Any] = [balances_parquet]
    if wanted is not None:
        load.__annotations__ = {"balances_parquet": wanted, "return": None}
        assets.append(dg.asset(name="downstream")(load))
    result = dg.materialize(
        assets,
        resources={"parquet": ParquetIOManager(settings=load_settings(), base=str(base))},
        raise_on_error=False,
    )
    result.received = received  # type: ignore[attr-defined]
    return result


@pytest.mark.parametrize(
    "made",
    [TABLE, stream, pl.from_arrow(TABLE), pl.from_arrow(TABLE).lazy(), TABLE.to_pandas()],
    ids=["arrow table", "record batches", "polars", "polars lazy", "pandas"],
)
def test_what_an_asset_returns_is_kept_with_its_decimals(tmp_path: Path, made: Any) -> None:
    result = materialize(tmp_path, made() if callable(made) else made)

    assert result.success
    kept = pq.read_table(tmp_path / "balances.parquet")
    assert kept.to_pylist() == TABLE.to_pylist()
    assert pa.types.is_decimal(kept.schema.field("balance").type)


def test_an_engine_writes_its_own_file(tmp_path: Path) -> None:
    result = materialize(tmp_path, Query())

    metadata = result.asset_materializations_for_node("balances_parquet")[0].metadata
    assert metadata["dagster/row_count"].value == 1
    assert metadata["size_bytes"].value == (tmp_path / "balances.parquet").stat().st_size


@pytest.mark.parametrize("wanted", [pa.Table, pl.DataFrame, pl.LazyFrame, pd.DataFrame])
def test_an_asset_is_loaded_as_its_annotation_says(tmp_path: Path, wanted: type) -> None:
    result = materialize(tmp_path, TABLE, wanted)

    assert result.success
    loaded = result.received[0]  # type: ignore[attr-defined]
    assert isinstance(loaded, wanted)
    frame = loaded.collect() if isinstance(loaded, pl.LazyFrame) else loaded
    assert list(frame["account_id"]) == ["A1", "A2"] or frame["account_id"].to_pylist() == [
        "A1",
        "A2",
    ]


def test_a_large_asset_is_loaded_as_a_stream_of_batches(tmp_path: Path) -> None:
    @dg.asset(io_manager_key="parquet")
    def balances_parquet() -> Any:
        return TABLE

    rows: list[int] = []

    @dg.asset
    def counted(balances_parquet: pa.RecordBatchReader) -> None:
        rows.extend(batch.num_rows for batch in balances_parquet)

    manager = ParquetIOManager(settings=load_settings(), base=str(tmp_path))
    dg.materialize([balances_parquet, counted], resources={"parquet": manager})

    assert sum(rows) == 2


def test_an_unknown_annotation_is_refused_with_those_that_are_known(tmp_path: Path) -> None:
    result = materialize(tmp_path, TABLE, dict)

    assert not result.success
    message = str(result.failure_data_for_node("downstream").error)
    assert "cannot be loaded as builtins.dict" in message
    assert "pyarrow.Table" in message


def test_an_unknown_object_is_refused_and_the_old_file_stays(tmp_path: Path) -> None:
    materialize(tmp_path, TABLE)
    before = (tmp_path / "balances.parquet").read_bytes()

    result = materialize(tmp_path, object())

    assert "cannot be kept as Parquet" in str(
        result.failure_data_for_node("balances_parquet").error
    )
    assert (tmp_path / "balances.parquet").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["balances.parquet"]


def test_a_stream_that_breaks_off_leaves_the_old_file(tmp_path: Path) -> None:
    materialize(tmp_path, TABLE)
    before = (tmp_path / "balances.parquet").read_bytes()

    def broken() -> Iterator[pa.RecordBatch]:
        yield from TABLE.to_batches()
        raise OutputError("the source is gone")

    result = materialize(tmp_path, pa.RecordBatchReader.from_batches(TABLE.schema, broken()))

    assert not result.success
    assert (tmp_path / "balances.parquet").read_bytes() == before


def test_a_base_may_be_an_fsspec_url() -> None:
    result = materialize("memory://lake/outputs", TABLE, pa.Table)

    assert result.success
    assert result.received[0].to_pylist() == TABLE.to_pylist()  # type: ignore[attr-defined]
    assert fsspec.filesystem("memory").ls("/lake/outputs", detail=False) == [
        "/lake/outputs/balances.parquet"
    ]


def test_each_partition_has_a_file_of_its_own(tmp_path: Path) -> None:
    @dg.asset(
        io_manager_key="parquet", partitions_def=dg.StaticPartitionsDefinition(["2026-01-31"])
    )
    def balances_parquet() -> Any:
        return TABLE

    manager = ParquetIOManager(settings=load_settings(), base=str(tmp_path))
    dg.materialize([balances_parquet], resources={"parquet": manager}, partition_key="2026-01-31")

    assert (tmp_path / "balances" / "2026-01-31.parquet").exists()
