"""What is made once a month, from the histories, as monthly partitions."""

import datetime as dt
from collections.abc import Iterator

import dagster as dg

from lending_club_pipeline.contract.errors import TransformationError
from lending_club_pipeline.dbt_runner.invocation import month_arguments, run_dbt
from lending_club_pipeline.dbt_runner.manifest import PreparedManifest
from lending_club_pipeline.dbt_runner.retries import Patience, build_with_patience
from lending_club_pipeline.defs.dbt.graph import DbtGraph
from lending_club_pipeline.defs.dbt.results import (
    check_results,
    fail_if_failed,
    fail_without_evidence,
    listed,
    materializations,
    show_node,
)
from lending_club_pipeline.defs.partitions import dates_of
from lending_club_pipeline.defs.progress import show_progress
from lending_club_pipeline.defs.resources import PlatformResource, WarehouseResource
from lending_club_pipeline.reconcile.ledger import relations_of
from lending_club_pipeline.warehouse import Warehouse


def build_month_end_assets(
    prepared: PreparedManifest, months: dg.PartitionsDefinition
) -> dg.AssetsDefinition:
    """Make the assets of month-ends.

    Args:
        prepared: the parsed project.
        months: the months; each depends on all of its days.
    """
    graph = DbtGraph(prepared, is_month_end=True)

    @dg.multi_asset(
        name="month_end",
        specs=graph.partitioned(months),
        check_specs=list(graph.check_specs.values()),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def month_end(
        context: dg.AssetExecutionContext, platform: PlatformResource, warehouse: WarehouseResource
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        """Compute the month-ends of the run's months with one dbt call, and test them.

        Raises:
            TransformationError: there is no history yet, a model failed, or a test found something.
        """
        _refuse_without_history(warehouse.warehouse)
        results = build_with_patience(
            lambda select: run_dbt(
                prepared,
                month_arguments(_first_days(context), select, platform.settings.dbt_threads),
                warehouse.warehouse.dbt_environment(),
                show_node,
            ),
            [],
            Patience(warehouse.warehouse.is_transient, warehouse.warehouse.retry_seconds),
            show_progress,
        )
        warehouse.warehouse.disconnect_dbt()
        context.log.info(listed(graph, results))
        yield from materializations(
            graph, results, warehouse.warehouse, context.selected_asset_keys
        )
        yield from check_results(graph, results, context.selected_asset_check_keys)
        fail_if_failed(graph, results)
        fail_without_evidence(graph, results)

    return month_end


def _first_days(context: dg.AssetExecutionContext) -> list[dt.date]:
    return dates_of(context) or [dt.datetime.now(dt.UTC).date().replace(day=1)]


def _refuse_without_history(warehouse: Warehouse) -> None:
    if "account_history" not in relations_of(warehouse):
        raise TransformationError(
            "There is no history to compute a month-end from. Process a delivery first."
        )
