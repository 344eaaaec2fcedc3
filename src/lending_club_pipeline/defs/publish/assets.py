"""The output assets: the summary as CSV and Parquet, the quarantine, the report."""

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
    column_lineage,
    markdown_table,
    preview_of_quarantine,
    table_schema,
)
from lending_club_pipeline.defs.resources import Settings, WarehouseResource
from lending_club_pipeline.publish.output_files import OUTPUTS, OutputFile
from lending_club_pipeline.publish.publication import (
    Published,
    publish_outputs,
)
from lending_club_pipeline.publish.report import render_report
from lending_club_pipeline.reconcile.ledger import DeliveryLedger
from lending_club_pipeline.runs.publication import are_published
from lending_club_pipeline.storage.outputs import outputs_of

_PARQUET: Final = "account_summary_parquet"
_SUMMARY: Final = "account_summary"


def _spec(output: OutputFile) -> dg.AssetSpec:
    schema = {"dagster/column_schema": table_schema(output.columns)} if output.columns else {}
    spec = dg.AssetSpec(
        output.asset,
        description=output.description,
        deps=output.made_of,
        kinds={output.kind},
        owners=[output.owner],
        group_name="outputs",
        metadata=schema,
    )
    if output.asset != _PARQUET:
        return spec
    # Downstream Python assets get the file as an Arrow table or a data frame.
    return spec.merge_attributes(metadata={HOLDS_NEWEST: True}).with_io_manager_key(
        "parquet_io_manager"
    )


def build_output_assets(days: BusinessDates) -> dg.AssetsDefinition:
    """Make the output assets.

    Args:
        days: the business dates.
    """

    @dg.multi_asset(
        name="outputs",
        specs=[_spec(output) for output in OUTPUTS],
        can_subset=True,
        partitions_def=days.partitions,
        backfill_policy=days.backfill_policy,
    )
    def outputs(
        context: dg.AssetExecutionContext, settings: Settings, warehouse: WarehouseResource
    ) -> Iterator[dg.MaterializeResult]:
        """Publish the newest delivery that is closed and not held: all files, or none.

        All outputs are one publication: a request for one of them publishes all.

        Raises:
            OutputError: a file cannot be written, its rows differ from the ledger, or a
                blocking check of the delivery did not pass.
        """
        with shown_in_one_line():
            yield from _publish(context, settings, warehouse)

    return outputs


def _publish(
    context: dg.AssetExecutionContext, settings: Settings, resource: WarehouseResource
) -> Iterator[dg.MaterializeResult]:
    warehouse = resource.warehouse
    keys = {key.to_user_string() for key in context.selected_asset_keys}
    selected = [output for output in OUTPUTS if output.asset in keys]
    journal = resource.journal(context.run.run_id)
    outputs = outputs_of(settings)
    serves = warehouse.serves_readers
    if not intent_of(context.run.tags).force and are_published(
        outputs, journal.days, serves_readers=serves
    ):
        for output in selected:
            yield dg.MaterializeResult(asset_key=output.asset, metadata={"left_alone": "unchanged"})
        return
    publishable = resource.publishable(journal)
    ledger = publishable.ledger
    published = publish_outputs(
        warehouse,
        outputs,
        ledger,
        partial(render_report, warehouse, ledger, publishable.checks, settings.outputs.currency),
        context.run.run_id,
        show_progress,
    )
    journal.publish(ledger.as_of_date, published.digest)
    previews = {mart: _preview(mart, published, ledger) for mart in {it.mart for it in selected}}
    for output in selected:
        yield _materialized(output, published, ledger, previews[output.mart])


def _preview(mart: str, published: Published, ledger: DeliveryLedger) -> dict[str, Any]:
    """Return a preview of a published mart."""
    if mart == "quarantined_records":
        return preview_of_quarantine(ledger)
    if mart != _SUMMARY:
        return {}
    entry = ledger.entries["accounts.csv", "published"]
    return {
        # As text, so that money stays exact to the cent.
        "published_balance": str(entry.balance),
        "preview": markdown_table(published.first_accounts),
    }


def _materialized(
    output: OutputFile, published: Published, ledger: DeliveryLedger, preview: Mapping[str, Any]
) -> dg.MaterializeResult:
    file = published.files[output.name]
    metadata: dict[str, Any] = {
        "published": dg.MetadataValue.path(str(file.path)),
        "as_of_date": ledger.as_of_date.isoformat(),
        "size_bytes": file.size_bytes,
        "sha256": file.sha256,
        "duration_seconds": published.seconds[output.name],
        **preview,
    }
    if output.columns:
        metadata |= column_lineage(output.mart, output.columns)
    if file.rows is not None:
        metadata["dagster/row_count"] = file.rows
    return dg.MaterializeResult(
        asset_key=output.asset, metadata=metadata, data_version=dg.DataVersion(file.sha256)
    )
