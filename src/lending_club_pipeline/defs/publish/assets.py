"""What leaves the pipeline: the summary as CSV and Parquet, the quarantine, the report."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

import dagster as dg

from lending_club_pipeline.defs.failures import shown_in_one_line
from lending_club_pipeline.defs.intents import intent_of
from lending_club_pipeline.defs.io_managers import HOLDS_NEWEST
from lending_club_pipeline.defs.partitions import BusinessDates
from lending_club_pipeline.defs.progress import show_progress
from lending_club_pipeline.defs.publish.previews import (
    QUARANTINE_COLUMNS,
    QUARANTINE_LINEAGE,
    SUMMARY_COLUMNS,
    SUMMARY_LINEAGE,
    preview_of_quarantine,
    preview_of_summary,
)
from lending_club_pipeline.defs.resources import PlatformResource, WarehouseResource
from lending_club_pipeline.publish.outputs import (
    Published,
    publish_outputs,
    published_ledger,
    sharing_of,
)
from lending_club_pipeline.publish.report import render_report
from lending_club_pipeline.reconcile.ledger import DeliveryLedger
from lending_club_pipeline.runs.day_journal import DayJournal
from lending_club_pipeline.runs.publication import are_published, proven_checks
from lending_club_pipeline.warehouse import Warehouse

_FINANCE: Final = ["finance@lendingclub.example"]
_PLATFORM: Final = ["data-platform@lendingclub.example"]
_GROUP: Final = "outputs"
_PARQUET: Final = "account_summary_parquet"
_SUMMARY_FILES: Final = frozenset({"account_summary_csv", _PARQUET})
# The file of each asset.
_FILES: Final = {
    "account_summary_csv": "account_summary.csv",
    _PARQUET: "account_summary.parquet",
    "quarantine_csv": "quarantine.csv",
    "delivery_report": "report.html",
}

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

        They are one publication, so that asking for one of them publishes all of them.

        Raises:
            OutputError: a file cannot be written, its rows are not those of the ledger, or a
                blocking check of the delivery did not pass.
        """
        with shown_in_one_line():
            yield from _publish(context, platform, warehouse.warehouse)

    return outputs


def _publish(
    context: dg.AssetExecutionContext, platform: PlatformResource, warehouse: Warehouse
) -> Iterator[dg.MaterializeResult]:
    keys = {key.to_user_string() for key in context.selected_asset_keys}
    selected = [name for name in _FILES if name in keys]
    journal = DayJournal.begin(warehouse, context.run.run_id)
    folder = platform.settings.output_path.absolute()
    serves = warehouse.serves_readers
    if not intent_of(context.run.tags).force and are_published(
        folder, journal.days, serves_readers=serves
    ):
        for name in selected:
            yield dg.MaterializeResult(asset_key=name, metadata={"left_alone": "unchanged"})
        return
    ledger = published_ledger(warehouse)
    checks = proven_checks(warehouse, journal.days, ledger.as_of_date)
    published = publish_outputs(
        warehouse,
        folder,
        ledger,
        partial(render_report, warehouse, ledger, checks, platform.settings.currency),
        context.run.run_id,
        show_progress,
        sharing_of(platform.settings),
    )
    journal.publish(ledger.as_of_date, published.digest)
    preview = preview_of_summary(warehouse) if _SUMMARY_FILES & keys else {}
    for name in selected:
        yield _materialized(name, published, ledger, preview)


def _materialized(
    name: str, published: Published, ledger: DeliveryLedger, preview: Mapping[str, Any]
) -> dg.MaterializeResult:
    file = published.files[_FILES[name]]
    metadata: dict[str, Any] = {
        "published": dg.MetadataValue.path(str(file.path)),
        "as_of_date": ledger.as_of_date.isoformat(),
        "size_bytes": file.size_bytes,
        "sha256": file.sha256,
        "duration_seconds": published.seconds[_FILES[name]],
    }
    if file.rows is not None:
        metadata["dagster/row_count"] = file.rows
    if name in _SUMMARY_FILES:
        entry = ledger.entries["accounts.csv", "published"]
        # Text, as money is exact to the cent.
        metadata |= {"published_balance": str(entry.balance), **preview, **SUMMARY_LINEAGE}
    elif name == "quarantine_csv":
        metadata |= {**preview_of_quarantine(ledger), **QUARANTINE_LINEAGE}
    return dg.MaterializeResult(
        asset_key=name, metadata=metadata, data_version=dg.DataVersion(file.sha256)
    )
