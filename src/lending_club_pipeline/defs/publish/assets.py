"""account_summary as CSV and Parquet, and the quarantine for the sender."""

from typing import Any, Final

import dagster as dg

from lending_club_pipeline.defs.resources import PlatformResource, WarehouseResource
from lending_club_pipeline.errors import OutputError
from lending_club_pipeline.outputs.atomic_files import WrittenFile
from lending_club_pipeline.outputs.closing import (
    DeliveryLedger,
    newest_closed_date,
    read_ledger,
)
from lending_club_pipeline.outputs.tables import ACCOUNT_SUMMARY, QUARANTINE, write_table
from lending_club_pipeline.warehouse import Warehouse

_OWNERS: Final = ["finance@lendingclub.example"]
_GROUP: Final = "outputs"
_SUMMARY: Final = dg.AssetKey("account_summary")
_LEDGER: Final = dg.AssetKey("delivery_ledger")
_QUARANTINE: Final = dg.AssetKey("quarantined_records")


@dg.asset(deps=[_SUMMARY, _LEDGER], group_name=_GROUP, kinds={"csv"}, owners=_OWNERS, pool="duckdb")
def account_summary_csv(
    context: dg.AssetExecutionContext, platform: PlatformResource, warehouse: WarehouseResource
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """`account_summary.csv`: the newest delivery's summary, ordered by account_id (bytes)."""
    ledger = published_ledger(warehouse.warehouse)
    written = write_table(
        warehouse.warehouse,
        ACCOUNT_SUMMARY,
        platform.settings.output_path.absolute() / "account_summary.csv",
        "csv",
        ledger.rows("accounts.csv", "published"),
    )
    context.log.info(f"{written.path}: {written.rows} rows")
    return described(written, ledger)


@dg.asset(
    deps=[_SUMMARY, _LEDGER], group_name=_GROUP, kinds={"parquet"}, owners=_OWNERS, pool="duckdb"
)
def account_summary_parquet(
    context: dg.AssetExecutionContext, platform: PlatformResource, warehouse: WarehouseResource
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """`account_summary.parquet`: the same rows in the same order, decimals kept, zstd."""
    ledger = published_ledger(warehouse.warehouse)
    written = write_table(
        warehouse.warehouse,
        ACCOUNT_SUMMARY,
        platform.settings.output_path.absolute() / "account_summary.parquet",
        "parquet",
        ledger.rows("accounts.csv", "published"),
    )
    context.log.info(f"{written.path}: {written.rows} rows")
    return described(written, ledger)


@dg.asset(
    deps=[_QUARANTINE, _LEDGER], group_name=_GROUP, kinds={"csv"}, owners=_OWNERS, pool="duckdb"
)
def quarantine_csv(
    context: dg.AssetExecutionContext, platform: PlatformResource, warehouse: WarehouseResource
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """`quarantine.csv`: what to send back to the sender, with all reasons and the raw text."""
    ledger = published_ledger(warehouse.warehouse)
    written = write_table(
        warehouse.warehouse,
        QUARANTINE,
        platform.settings.output_path.absolute() / "quarantine.csv",
        "csv",
        _unused_records(ledger),
    )
    context.log.info(f"{written.path}: {written.rows} rows")
    return described(written, ledger)


def published_ledger(warehouse: Warehouse) -> DeliveryLedger:
    """Read the ledger of the delivery that is published.

    Raises:
        OutputError: no delivery with a closed ledger was processed yet.
    """
    newest = newest_closed_date(warehouse)
    ledger = None if newest is None else read_ledger(warehouse, newest)
    if ledger is None:
        raise OutputError("There is nothing to publish: no delivery was processed yet.")
    return ledger


def _unused_records(ledger: DeliveryLedger) -> int:
    stages = ("rejected", "quarantined_staging", "quarantined_join")
    return sum(entry.row_count for (_, stage), entry in ledger.entries.items() if stage in stages)


def described(written: WrittenFile, ledger: DeliveryLedger) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Return the metadata of a published file."""
    metadata: dict[str, Any] = {
        "published": dg.MetadataValue.path(str(written.path)),
        "as_of_date": ledger.as_of_date.isoformat(),
        "size_bytes": written.size_bytes,
        "sha256": written.sha256,
    }
    if written.rows is not None:
        metadata["dagster/row_count"] = written.rows
    return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(written.sha256))
