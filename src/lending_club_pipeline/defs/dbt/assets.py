"""Every model and seed of the dbt project as an asset, every dbt test as an asset check."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final

import dagster as dg

from lending_club_pipeline.contract.errors import TransformationError
from lending_club_pipeline.dbt_runner.interruptions import completing
from lending_club_pipeline.dbt_runner.invocation import build_arguments, run_dbt
from lending_club_pipeline.dbt_runner.manifest import PreparedManifest
from lending_club_pipeline.dbt_runner.retries import Patience, build_with_patience
from lending_club_pipeline.defs.dbt.graph import DbtGraph
from lending_club_pipeline.defs.dbt.holds import hold, is_only_held
from lending_club_pipeline.defs.dbt.open_equations import (
    read_open_equations,
    tabulated,
    told,
)
from lending_club_pipeline.defs.dbt.regularity import REGULARITY_CHECKS, check_regularity
from lending_club_pipeline.defs.dbt.results import (
    check_results,
    fail_if_failed,
    fail_without_evidence,
    listed,
    materializations,
    show_node,
)
from lending_club_pipeline.defs.partitions import BusinessDates, dates_of
from lending_club_pipeline.defs.progress import show_progress
from lending_club_pipeline.defs.resources import PlatformResource, WarehouseResource
from lending_club_pipeline.warehouse import Warehouse

_LEDGER: Final = "delivery_ledger"


def build_dbt_assets(
    prepared: PreparedManifest,
    days: BusinessDates,
) -> dg.AssetsDefinition:
    """Make the assets of the dbt project.

    Args:
        prepared: the parsed project.
        days: the business dates.
    """
    graph = DbtGraph(prepared)

    @dg.multi_asset(
        name="dbt_project",
        specs=graph.partitioned(days.partitions),
        check_specs=[*graph.check_specs.values(), *REGULARITY_CHECKS],
        can_subset=True,
        backfill_policy=days.backfill_policy,
    )
    def dbt_project(
        context: dg.AssetExecutionContext, platform: PlatformResource, warehouse: WarehouseResource
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        """Build models and seeds of the run's deliveries with one dbt call, and test them.

        Raises:
            TransformationError: a model failed or a test of severity error found something.
            HeldDeliveryError: the delivery moved further than allowed and nobody approved that.
        """
        select = graph.selected(context.selected_asset_keys, context.selected_asset_check_keys)
        asked = _landed_dates(context, warehouse.warehouse)
        with completing(platform.settings.landing, asked) as dates:
            _tell_of_interrupted(context, asked, dates)
            results = build_with_patience(
                lambda unbuilt: run_dbt(
                    prepared,
                    build_arguments(
                        dates,
                        unbuilt,
                        platform.settings.dbt_threads,
                        platform.settings.movement_percents,
                    ),
                    warehouse.warehouse.dbt_environment(),
                    show_node,
                ),
                select,
                Patience(warehouse.warehouse.is_transient, warehouse.warehouse.retry_seconds),
                show_progress,
            )
        warehouse.warehouse.disconnect_dbt()
        context.log.info(listed(graph, results))
        yield from materializations(
            graph, results, warehouse.warehouse, context.selected_asset_keys
        )
        equations = read_open_equations(graph, results, warehouse.warehouse)
        yield from check_results(
            graph,
            results,
            context.selected_asset_check_keys,
            {test: tabulated(found) for test, found in equations.items()},
        )
        if _LEDGER in {graph.title_of(it.unique_id) for it in results if it.status == "success"}:
            yield from check_regularity(
                warehouse.warehouse, platform.settings, asked, context.selected_asset_check_keys
            )
        if is_only_held([graph.title_of(it.unique_id) for it in results if it.is_failed]):
            hold(context, platform, warehouse.warehouse, dates)
        fail_if_failed(graph, results, {test: told(found) for test, found in equations.items()})
        fail_without_evidence(graph, results, select)

    return dbt_project


def _tell_of_interrupted(
    context: dg.AssetExecutionContext, asked: Sequence[dt.date], dates: Sequence[dt.date]
) -> None:
    others = [date.isoformat() for date in dates if date not in asked]
    if others:
        context.log.info(f"Built with it, because a run was interrupted: {', '.join(others)}")


def _landed_dates(context: dg.AssetExecutionContext, warehouse: Warehouse) -> list[dt.date]:
    """Return those dates of the run that are landed; a date that is not must not be emptied.

    Without a date it is that of the delivery landed last.
    """
    wanted = dates_of(context)
    if not wanted:
        return _landed_last(warehouse)
    rows = warehouse.fetch(
        "select distinct as_of_date from delivered_files where as_of_date between ? and ?",
        [wanted[0], wanted[-1]],
    )
    landed = sorted({row["as_of_date"] for row in rows} & set(wanted))
    if not landed:
        raise TransformationError(
            f"No delivery of {wanted[0]} is landed yet. Materialize customers_raw of it first."
            if len(wanted) == 1
            else f"No delivery from {wanted[0]} through {wanted[-1]} is landed yet."
        )
    return landed


def _landed_last(warehouse: Warehouse) -> list[dt.date]:
    rows = warehouse.fetch(
        "select as_of_date from delivered_files order by loaded_at desc, as_of_date desc limit 1"
    )
    if not rows:
        raise TransformationError("No delivery is landed yet. Materialize customers_raw first.")
    return [rows[0]["as_of_date"]]
