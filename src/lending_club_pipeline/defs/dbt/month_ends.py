"""Month-end assets: made once a month from the histories, with monthly partitions."""

import datetime as dt
from collections.abc import Iterator, Sequence

import dagster as dg

from lending_club_pipeline.config.clock import Today
from lending_club_pipeline.contract.errors import TransformationError
from lending_club_pipeline.dbt_runner.contracts import incremental_tables
from lending_club_pipeline.dbt_runner.invocation import NodeResult, month_arguments, run_dbt
from lending_club_pipeline.dbt_runner.manifest import PreparedManifest
from lending_club_pipeline.dbt_runner.node_retries import RetryPolicy, build_with_retries
from lending_club_pipeline.defs.checks import key_of
from lending_club_pipeline.defs.dbt.build_failures import fail_if_failed, fail_without_evidence
from lending_club_pipeline.defs.dbt.graph import DbtGraph
from lending_club_pipeline.defs.dbt.results import (
    check_results,
    listed,
    materializations,
    showing_nodes,
)
from lending_club_pipeline.defs.failures import shown_in_one_line
from lending_club_pipeline.defs.partitions import dates_of
from lending_club_pipeline.defs.progress import show_progress
from lending_club_pipeline.defs.resources import Settings, WarehouseResource
from lending_club_pipeline.reconcile.ledger import closed_dates
from lending_club_pipeline.runs.plan import last_deliveries
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
        context: dg.AssetExecutionContext, settings: Settings, warehouse: WarehouseResource
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        """Compute the month-ends of the run's months with one dbt call, and test them.

        Raises:
            TransformationError: these months have no delivery, or a model or test failed.
        """
        with shown_in_one_line():
            yield from _closed(context, settings, warehouse, graph)

    return month_end


def _closed(
    context: dg.AssetExecutionContext,
    settings: Settings,
    resource: WarehouseResource,
    graph: DbtGraph,
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    warehouse = resource.warehouse
    months = _first_days(context, settings.today())
    _refuse_without_deliveries(warehouse, months)
    warehouse.check_tables(incremental_tables(graph.prepared))
    results = build_with_retries(
        lambda select: run_dbt(
            graph.prepared,
            month_arguments(months, select, settings.dbt.threads),
            warehouse.dbt_environment(),
            showing_nodes(graph.size(select)),
        ),
        [],
        RetryPolicy(warehouse.is_transient, warehouse.retry_seconds),
        show_progress,
    )
    warehouse.disconnect_dbt()
    context.log.info(listed(graph, results))
    yield from materializations(graph, results, warehouse, context.selected_asset_keys)
    yield from check_results(graph, results, context.selected_asset_check_keys)
    fail_if_failed(graph, results)
    fail_without_evidence(graph, results)
    journal = resource.journal(context.run.run_id)
    closed = [state.as_of_date for state in journal.days.values() if state.is_closed]
    journal.close_months(last_deliveries(months, closed))


def log_month_ends(
    context: dg.AssetExecutionContext,
    graph: DbtGraph,
    results: Sequence[NodeResult],
    warehouse: Warehouse,
    months: Sequence[dt.date],
) -> None:
    """Report month-ends that a run of days has closed, as they have other partitions.

    Args:
        context: context of the run of days.
        graph: the nodes that are made once a month.
        results: results of all nodes of the run.
        warehouse: an open warehouse.
        months: first days of the months that were due.
    """
    if not months:
        return
    keys = {spec.key for spec in graph.specs.values()}
    for made in materializations(graph, results, warehouse, keys):
        for month in months:
            context.log_event(
                dg.AssetMaterialization(
                    asset_key=made.asset_key or "",
                    partition=month.isoformat(),
                    metadata=made.metadata,
                )
            )
    checks = {check.key for check in graph.check_specs.values()}
    for result in check_results(graph, results, checks):
        context.log_event(
            dg.AssetCheckEvaluation(
                asset_key=key_of(result).asset_key,
                check_name=key_of(result).name,
                passed=result.passed,
                metadata=result.metadata,
                severity=result.severity,
                description=result.description,
            )
        )


def _first_days(context: dg.AssetExecutionContext, today: Today) -> list[dt.date]:
    return dates_of(context) or [today.date.replace(day=1)]


def _refuse_without_deliveries(warehouse: Warehouse, months: Sequence[dt.date]) -> None:
    """Refuse months without deliveries: a success would mean that they are closed.

    A month that was closed before may be computed again, even if its deliveries no longer close.
    """
    relations = warehouse.relations()
    if "account_history" not in relations:
        raise TransformationError(
            "There is no history to compute a month-end from. Process a delivery first."
        )
    known = closed_dates(warehouse)
    if "account_summary_monthly" in relations:
        ends = warehouse.fetch("select distinct as_of_date from account_summary_monthly")
        known |= {row["as_of_date"] for row in ends}
    if not {date.replace(day=1) for date in known} & set(months):
        named = f"{months[0]:%Y-%m}" + (f" to {months[-1]:%Y-%m}" if len(months) > 1 else "")
        raise TransformationError(
            f"No processed delivery lies in {named}"
            + (f"; the newest is of {max(known)}" if known else "")
            + ". Process the deliveries of the month first: lending-club run --from … --to …."
        )
