"""customers_raw, accounts_raw and what stands beside them."""

import datetime as dt
import time
from collections.abc import Iterator
from typing import Final

import dagster as dg

from lending_club_pipeline.defs.progress import show_progress
from lending_club_pipeline.defs.resources import PlatformResource, WarehouseResource
from lending_club_pipeline.deliveries.finding import find_delivery, today_utc
from lending_club_pipeline.deliveries.landing import (
    LandedDelivery,
    LandedFile,
    SplitterLimits,
    land,
)
from lending_club_pipeline.deliveries.source_files import ACCOUNTS, CUSTOMERS, SourceFile

_OWNERS: Final = ["data-platform@lendingclub.example"]
_KINDS: Final = {"csv", "parquet"}
_PROVENANCE: Final = [
    dg.TableColumn("as_of_date", "date", "Business date of the delivery."),
    dg.TableColumn("source_file", "string", "File that the record came from."),
    dg.TableColumn("record_number", "bigint", "Position among the landed records, from 1."),
    dg.TableColumn("file_sha256", "string", "SHA-256 of the file as it was stored."),
    dg.TableColumn("loaded_at", "timestamp", "When it was landed (UTC)."),
]


def _raw_spec(source: SourceFile) -> dg.AssetSpec:
    columns = [
        dg.TableColumn(name, "string", f"{column} as delivered, untouched.")
        for name, column in zip(source.landed_columns, source.columns, strict=True)
    ]
    return dg.AssetSpec(
        f"{source.table}_raw",
        description=(
            f"Every record of `{source.name}` that splits into its columns, as text, untouched, "
            "with as-of date, record number, load time and the file's SHA-256."
        ),
        group_name="raw",
        kinds=_KINDS,
        owners=_OWNERS,
        metadata={"dagster/column_schema": dg.TableSchema([*columns, *_PROVENANCE])},
    )


REJECTED_RECORDS: Final = dg.AssetSpec(
    "rejected_records",
    description="Records that do not split into the declared columns, with line, text and reason.",
    group_name="raw",
    kinds=_KINDS,
    owners=_OWNERS,
)
DELIVERED_FILES: Final = dg.AssetSpec(
    "delivered_files",
    description=(
        "One row per delivered file: checksum, size, and the counts that prove that every "
        "physical line is accounted for."
    ),
    group_name="raw",
    kinds=_KINDS,
    owners=_OWNERS,
)
_CHECK: Final = "every_physical_line_is_accounted_for"
_CHECK_DESCRIPTION: Final = (
    "Physical lines, counted from the bytes, = header + empty lines + lines of landed records + "
    "lines of rejected records."
)


@dg.multi_asset(
    name="delivery",
    specs=[_raw_spec(CUSTOMERS), _raw_spec(ACCOUNTS), REJECTED_RECORDS, DELIVERED_FILES],
    check_specs=[
        dg.AssetCheckSpec(
            _CHECK,
            asset=f"{source.table}_raw",
            blocking=True,
            description=_CHECK_DESCRIPTION,
        )
        for source in (CUSTOMERS, ACCOUNTS)
    ],
)
def delivery(
    context: dg.AssetExecutionContext, platform: PlatformResource, warehouse: WarehouseResource
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:  # type: ignore[type-arg]
    """Land the delivery of the as-of date, both files or none.

    Raises:
        RefusedDeliveryError: the delivery is missing, broken or not whole.
    """
    settings = platform.settings
    found = find_delivery(settings.input_path, platform.requested_date, today_utc())
    show_progress(f"Delivery of {found.as_of_date} in {found.folder}")
    started = time.monotonic()
    landed = land(
        found,
        settings.landing,
        SplitterLimits(settings.engine_memory_bytes, settings.duckdb_threads),
        dt.datetime.now(dt.UTC).replace(tzinfo=None),
        show_progress,
    )
    warehouse.warehouse.load_raw(settings.landing, landed.as_of_date)
    seconds = time.monotonic() - started
    state = "unchanged since it was landed" if landed.is_unchanged else "landed"
    context.log.info(f"Delivery of {found.as_of_date} in {found.folder}: {state}")
    for file, source in zip(landed.files, (CUSTOMERS, ACCOUNTS), strict=True):
        yield _materialized(file, source, landed, seconds)
        yield _accounted_for(file, source)
    rejected = {file.source_file: file.rejected_records for file in landed.files}
    yield dg.MaterializeResult(
        asset_key="rejected_records",
        metadata={
            "dagster/row_count": sum(rejected.values()),
            "by_file": dg.MetadataValue.json(rejected),
        },
    )
    yield dg.MaterializeResult(
        asset_key="delivered_files",
        metadata={
            "dagster/row_count": len(landed.files),
            "as_of_date": landed.as_of_date.isoformat(),
            "is_unchanged": landed.is_unchanged,
            **_control_metadata(landed),
        },
    )


def _materialized(
    file: LandedFile, source: SourceFile, landed: LandedDelivery, seconds: float
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    stored = landed.folder / f"{source.table}.parquet"
    return dg.MaterializeResult(
        asset_key=f"{source.table}_raw",
        data_version=dg.DataVersion(file.sha256),
        metadata={
            "dagster/row_count": file.landed_records,
            "as_of_date": landed.as_of_date.isoformat(),
            "delivered_file": file.delivered_name,
            "delivered_bytes": file.stored_bytes,
            "sha256": file.sha256,
            "rejected_records": file.rejected_records,
            "extra_columns": dg.MetadataValue.json(list(file.extra_columns)),
            "parquet": dg.MetadataValue.path(str(stored)),
            "parquet_bytes": stored.stat().st_size,
            # Both files are landed together.
            "duration_seconds": seconds,
            "control_totals": _compared(file, landed),
        },
    )


def _compared(file: LandedFile, landed: LandedDelivery) -> str:
    """Say what a file was compared with."""
    for totals in () if landed.control is None else landed.control.totals:
        if totals.source_file == file.source_file:
            amount = "" if totals.sum_of_balances is None else f", {totals.sum_of_balances:,f}"
            return f"compared and equal: {totals.records:,} records{amount}"
    return "none were delivered"


def _control_metadata(landed: LandedDelivery) -> dict[str, str]:
    if landed.control is None:
        return {}
    return {"control_file": landed.control.delivered_name, "control_sha256": landed.control.sha256}


def _accounted_for(file: LandedFile, source: SourceFile) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=f"{source.table}_raw",
        check_name=_CHECK,
        passed=file.is_complete,
        description=_CHECK_DESCRIPTION,
        metadata={
            "physical_lines": file.physical_lines,
            "header_lines": file.header_lines,
            "empty_lines": file.empty_lines,
            "lines_of_landed_records": file.landed_lines,
            "lines_of_rejected_records": file.rejected_lines,
        },
    )
