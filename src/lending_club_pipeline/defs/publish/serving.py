"""account_summary_to_databricks: the table that readers use, in production only."""

import time
from decimal import Decimal

import dagster as dg

from lending_club_pipeline.defs.failures import shown_in_one_line
from lending_club_pipeline.defs.intents import intent_of
from lending_club_pipeline.defs.partitions import BusinessDates
from lending_club_pipeline.defs.progress import show_progress
from lending_club_pipeline.defs.publish.previews import column_lineage, table_schema
from lending_club_pipeline.defs.resources import WarehouseResource
from lending_club_pipeline.publish.output_files import FINANCE
from lending_club_pipeline.publish.tables import SUMMARY_COLUMNS
from lending_club_pipeline.reconcile.ledger import DeliveryLedger
from lending_club_pipeline.runs.day_journal import DayJournal
from lending_club_pipeline.runs.plan import is_published
from lending_club_pipeline.warehouse import Warehouse


def build_serving_asset(days: BusinessDates) -> dg.AssetsDefinition:
    """Make the asset of the serving table.

    Args:
        days: the business dates.
    """

    @dg.multi_asset(
        name="account_summary_to_databricks",
        specs=[
            dg.AssetSpec(
                "account_summary_to_databricks",
                description=(
                    "The account summary in the table that readers use: published in one atomic "
                    "step, verified, and restored if it differs."
                ),
                deps=["account_summary", "delivery_ledger"],
                group_name="outputs",
                kinds={"databricks", "table"},
                owners=[FINANCE],
                metadata={"dagster/column_schema": table_schema(SUMMARY_COLUMNS)},
            )
        ],
        partitions_def=days.partitions,
        backfill_policy=days.backfill_policy,
    )
    def account_summary_to_databricks(
        context: dg.AssetExecutionContext, warehouse: WarehouseResource
    ) -> dg.MaterializeResult:
        """Publish the account summary to the table that readers use, in one atomic step.

        Then the table is compared with the mart, by count, sums of money and an
        order-independent checksum; if it differs, the previous version is restored.

        Raises:
            OutputError: the table differs from the mart or from the ledger.
        """
        journal = warehouse.journal(context.run.run_id)
        is_asked_for = intent_of(context.run.tags).force
        if not is_asked_for and is_published(journal.days, serves_readers=True):
            return dg.MaterializeResult(metadata={"left_alone": "unchanged"})
        with shown_in_one_line():
            return _publish(warehouse.warehouse, journal, warehouse.publishable(journal).ledger)

    return account_summary_to_databricks


def _publish(
    warehouse: Warehouse, journal: DayJournal, ledger: DeliveryLedger
) -> dg.MaterializeResult:
    started = time.monotonic()
    show_progress("Publishing account_summary to the serving table")
    published = ledger.entries["accounts.csv", "published"]
    served = warehouse.serving().publish(
        SUMMARY_COLUMNS, published.row_count, published.balance or Decimal(0)
    )
    journal.serve(ledger.as_of_date)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": served.fingerprint.row_count,
            "dagster/table_name": served.table,
            "as_of_date": ledger.as_of_date.isoformat(),
            "delta_version": served.version,
            "previous_delta_version": served.previous_version,
            "original_balance": str(served.fingerprint.original_balance),
            "new_balance": str(served.fingerprint.new_balance),
            "checksum": str(served.fingerprint.checksum),
            **column_lineage("account_summary", SUMMARY_COLUMNS),
            "readers": dg.MetadataValue.json(list(served.readers)),
            "duration_seconds": round(time.monotonic() - started, 3),
        }
    )
