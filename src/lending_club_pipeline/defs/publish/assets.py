"""What leaves the pipeline: the summary as CSV and Parquet, the quarantine, the report."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from pathlib import Path
from typing import Any, Final

import dagster as dg

from lending_club_pipeline.contract.errors import OutputError
from lending_club_pipeline.defs.io_managers import HOLDS_NEWEST
from lending_club_pipeline.defs.partitions import BusinessDates
from lending_club_pipeline.defs.progress import show_progress
from lending_club_pipeline.defs.publish.checks import checks_of_delivery
from lending_club_pipeline.defs.publish.previews import (
    QUARANTINE_COLUMNS,
    QUARANTINE_LINEAGE,
    SUMMARY_COLUMNS,
    SUMMARY_LINEAGE,
    preview_of_quarantine,
    preview_of_summary,
)
from lending_club_pipeline.defs.resources import PlatformResource, WarehouseResource
from lending_club_pipeline.files.atomic import (
    Publication,
    WrittenFile,
    describe,
    explaining,
)
from lending_club_pipeline.publish.held_pages import remove_pages_of_published
from lending_club_pipeline.publish.report import CheckResult, render_report
from lending_club_pipeline.publish.tables import (
    ACCOUNT_SUMMARY,
    QUARANTINE,
    PublishedTable,
    SummaryInOrder,
)
from lending_club_pipeline.reconcile.ledger import (
    DeliveryLedger,
    newest_publishable_date,
    read_ledger,
)
from lending_club_pipeline.warehouse import Warehouse

_FINANCE: Final = ["finance@lendingclub.example"]
_PLATFORM: Final = ["data-platform@lendingclub.example"]
_GROUP: Final = "outputs"
_PARQUET: Final = "account_summary_parquet"
_SUMMARY_FILES: Final = frozenset({"account_summary_csv", _PARQUET})
_UNUSED_STAGES: Final = ("rejected", "quarantined_staging", "quarantined_join")

_SPECS: Final = [
    dg.AssetSpec(
        "account_summary_csv",
        description="`account_summary.csv`: the newest delivery's summary, ordered by account_id.",
        deps=["account_summary", "delivery_ledger"],
        kinds={"csv"},
        owners=_FINANCE,
        group_name=_GROUP,
        metadata={"dagster/column_schema": SUMMARY_COLUMNS},
    ),
    dg.AssetSpec(
        _PARQUET,
        description="`account_summary.parquet`: the same rows and order, decimals kept, zstd.",
        deps=["account_summary", "delivery_ledger"],
        kinds={"parquet"},
        owners=_FINANCE,
        group_name=_GROUP,
        metadata={"dagster/column_schema": SUMMARY_COLUMNS, HOLDS_NEWEST: True},
    ).with_io_manager_key("parquet_io_manager"),
    dg.AssetSpec(
        "quarantine_csv",
        description=(
            "`quarantine.csv`: every record that is not used, with all reasons and its raw text, "
            "to send back to the sender."
        ),
        deps=["quarantined_records", "delivery_ledger"],
        kinds={"csv"},
        owners=_PLATFORM,
        group_name=_GROUP,
        metadata={"dagster/column_schema": QUARANTINE_COLUMNS},
    ),
    dg.AssetSpec(
        "delivery_report",
        description=(
            "`report.html`: where every record went, why, balances and interest by tier, checks, "
            "and the previous delivery; one page for a manager."
        ),
        deps=[
            "account_summary",
            "account_summary_by_tier",
            "delivery_ledger",
            "quarantined_records",
        ],
        kinds={"html"},
        owners=_FINANCE,
        group_name=_GROUP,
    ),
]


def build_output_assets(days: BusinessDates) -> dg.AssetsDefinition:
    """Make the assets of what leaves.

    Args:
        days: the business dates.
    """

    @dg.multi_asset(
        name="outputs",
        specs=_SPECS,
        can_subset=True,
        partitions_def=days.partitions,
        backfill_policy=days.backfill_policy,
    )
    def outputs(
        context: dg.AssetExecutionContext, platform: PlatformResource, warehouse: WarehouseResource
    ) -> Iterator[dg.MaterializeResult]:
        """Publish the newest delivery that may be: closed and not held. All files, or none.

        Raises:
            OutputError: a file cannot be written, or its rows are not those of the ledger.
        """
        yield from _publish(context, platform, warehouse)

    return outputs


def _publish(
    context: dg.AssetExecutionContext, platform: PlatformResource, warehouse: WarehouseResource
) -> Iterator[dg.MaterializeResult]:
    ledger = published_ledger(warehouse.warehouse)
    folder = platform.settings.output_path.absolute()
    selected = {key.to_user_string() for key in context.selected_asset_keys}
    written: dict[str, tuple[WrittenFile, float]] = {}
    with Publication() as publication:
        summary = SummaryInOrder(
            _summary(warehouse.warehouse, ledger),
            publication.scratch(folder / "account_summary.sorted"),
        )
        if selected & _SUMMARY_FILES:
            show_progress("Sorting account_summary")
            with explaining(folder):
                summary.prepare()
        writers = _writers(
            warehouse.warehouse,
            ledger,
            summary,
            partial(checks_of_delivery, context.instance, ledger.as_of_date),
        )
        for name, (file_name, write) in writers.items():
            if name in selected:
                show_progress(f"Writing {file_name}")
                written[name] = _timed(publication, folder / file_name, write)
        publication.settle()
        preview = _preview(warehouse.warehouse, selected)
        if _PARQUET in selected:
            show_progress("Writing account_summary.parquet")
            yield dg.MaterializeResult(
                asset_key=_PARQUET,
                value=summary,
                metadata={
                    "as_of_date": ledger.as_of_date.isoformat(),
                    **preview,
                    **SUMMARY_LINEAGE,
                },
            )
    remove_pages_of_published(warehouse.warehouse, folder)
    for name, (file, seconds) in written.items():
        yield _materialized(name, file, seconds, ledger, preview)


def _preview(warehouse: Warehouse, selected: AbstractSet[str]) -> dict[str, Any]:
    """Read the first accounts once for both files."""
    return preview_of_summary(warehouse) if selected & _SUMMARY_FILES else {}


def published_ledger(warehouse: Warehouse) -> DeliveryLedger:
    """Read the ledger of the delivery that is published.

    Raises:
        OutputError: no delivery that may be published was processed yet.
    """
    newest = newest_publishable_date(warehouse)
    ledger = None if newest is None else read_ledger(warehouse, newest)
    if ledger is None:
        raise OutputError("There is nothing to publish: no delivery was processed yet.")
    return ledger


def _summary(warehouse: Warehouse, ledger: DeliveryLedger) -> PublishedTable:
    rows = ledger.rows("accounts.csv", "published")
    return PublishedTable(warehouse, "account_summary", ACCOUNT_SUMMARY, rows)


_Writers = dict[str, tuple[str, Callable[[Path], int | None]]]


def _writers(
    warehouse: Warehouse,
    ledger: DeliveryLedger,
    summary: SummaryInOrder,
    read_checks: Callable[[], Sequence[CheckResult]],
) -> _Writers:
    """Return by asset its file's name and what writes it; Parquet is the I/O manager's."""
    unused = sum(it.row_count for it in ledger.entries.values() if it.stage in _UNUSED_STAGES)
    quarantine = PublishedTable(warehouse, "quarantine.csv", QUARANTINE, unused)
    return {
        "account_summary_csv": ("account_summary.csv", summary.write_csv),
        "quarantine_csv": ("quarantine.csv", quarantine.write_csv),
        "delivery_report": (
            "report.html",
            lambda work: _write_page(render_report(warehouse, ledger, read_checks()), work),
        ),
    }


def _write_page(page: str, work: Path) -> None:
    work.write_text(page, encoding="utf-8", newline="\n")


def _timed(
    publication: Publication, target: Path, write: Callable[[Path], int | None]
) -> tuple[WrittenFile, float]:
    started = time.monotonic()
    work = publication.work_for(target)
    with explaining(target):
        rows = write(work)
        return describe(work, rows, target), round(time.monotonic() - started, 3)


def _materialized(
    name: str,
    file: WrittenFile,
    seconds: float,
    ledger: DeliveryLedger,
    preview: Mapping[str, Any],
) -> dg.MaterializeResult:
    metadata: dict[str, Any] = {
        "published": dg.MetadataValue.path(str(file.path)),
        "as_of_date": ledger.as_of_date.isoformat(),
        "size_bytes": file.size_bytes,
        "sha256": file.sha256,
        "duration_seconds": seconds,
    }
    if file.rows is not None:
        metadata["dagster/row_count"] = file.rows
    if name == "account_summary_csv":
        metadata |= {**preview, **SUMMARY_LINEAGE}
    elif name == "quarantine_csv":
        metadata |= {**preview_of_quarantine(ledger), **QUARANTINE_LINEAGE}
    return dg.MaterializeResult(
        asset_key=name, metadata=metadata, data_version=dg.DataVersion(file.sha256)
    )
