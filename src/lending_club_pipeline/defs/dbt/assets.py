"""Every model and seed of the dbt project as an asset, every dbt test as an asset check."""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import dagster as dg

from lending_club_pipeline.contract.errors import NotLandedError, TransformationError
from lending_club_pipeline.dbt_runner.contracts import incremental_tables
from lending_club_pipeline.dbt_runner.invocation import NodeResult, build_arguments, run_dbt
from lending_club_pipeline.dbt_runner.manifest import PreparedManifest
from lending_club_pipeline.dbt_runner.node_retries import RetryPolicy, build_with_retries
from lending_club_pipeline.defs.checks import check_result
from lending_club_pipeline.defs.dbt.build_failures import (
    fail_if_failed,
    fail_without_evidence,
    hold,
    is_only_held,
    is_proven,
)
from lending_club_pipeline.defs.dbt.graph import DbtGraph
from lending_club_pipeline.defs.dbt.ledger_checks import (
    FRESHNESS_AND_VOLUME_CHECKS,
    as_table,
    check_freshness_and_volume,
    describe,
    read_reconciliation_breaks,
)
from lending_club_pipeline.defs.dbt.month_ends import log_month_ends
from lending_club_pipeline.defs.dbt.results import (
    check_results,
    listed,
    materializations,
    merged,
    showing_nodes,
)
from lending_club_pipeline.defs.failures import shown_in_one_line
from lending_club_pipeline.defs.intents import intent_of
from lending_club_pipeline.defs.partitions import BusinessDates, dates_of
from lending_club_pipeline.defs.progress import show_progress
from lending_club_pipeline.defs.resources import Settings, WarehouseResource
from lending_club_pipeline.ingest.deliveries.delivered_files import bytes_in
from lending_club_pipeline.reconcile.checks import record_checks
from lending_club_pipeline.reconcile.freshness_and_volume import read_processed_files
from lending_club_pipeline.reconcile.movements import held_dates
from lending_club_pipeline.runs.day_journal import Build
from lending_club_pipeline.runs.plan import batches, dates_to_build, last_deliveries, months_due
from lending_club_pipeline.runs.survey import policy_of
from lending_club_pipeline.warehouse import Warehouse

_LEDGER: Final = "delivery_ledger"
_MOVEMENTS: Final = "delivery_movements"


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
        check_specs=[*graph.check_specs.values(), *FRESHNESS_AND_VOLUME_CHECKS],
        can_subset=True,
        backfill_policy=days.backfill_policy,
    )
    def dbt_project(
        context: dg.AssetExecutionContext, settings: Settings, warehouse: WarehouseResource
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        """Build models and seeds of the run's deliveries with one dbt call, and test them.

        Raises:
            TransformationError: a model failed or a test of severity error found something.
            HeldDeliveryError: the delivery moved beyond its limits and is not approved.
        """
        with shown_in_one_line():
            yield from _DbtRun(context, settings, warehouse, graph).results()

    return dbt_project


class _DbtRun:
    """One run of the dbt project for the dates of a Dagster run."""

    def __init__(
        self,
        context: dg.AssetExecutionContext,
        settings: Settings,
        resource: WarehouseResource,
        graph: DbtGraph,
    ) -> None:
        self._context = context
        self._settings = settings
        self._warehouse = resource.warehouse
        self._graph = graph
        self._months = DbtGraph(graph.prepared, is_month_end=True)
        self._was_whole = False
        self._select = graph.selected(
            context.selected_asset_keys, context.selected_asset_check_keys
        )
        self._journal = resource.journal(context.run.run_id)
        self._policy = replace(policy_of(self._settings), force=intent_of(context.run.tags).force)

    def results(self) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        """Build the dates, record the results, and yield the events for Dagster."""
        asked = dates_of(self._context) or _landed_last(self._warehouse)
        dates = self._landed(dates_to_build(asked, self._journal.days, self._policy), asked)
        if not dates:
            keys = [self._graph.specs[unique_id].key for unique_id in self._graph.in_order]
            for key in keys:
                if key in self._context.selected_asset_keys:
                    yield dg.MaterializeResult(asset_key=key, metadata={"left_alone": "unchanged"})
            return
        others = [date.isoformat() for date in dates if date not in asked]
        if others:
            said = f"Built with it, because a run was interrupted: {', '.join(others)}"
            self._context.log.info(said)
        months = self._due(dates)
        # Building a part of the project leaves complete dates complete.
        self._was_whole = all(
            date in self._journal.days
            and self._journal.days[date].is_processed_by(self._policy.transformation)
            for date in dates
        )
        self._warehouse.check_tables(incremental_tables(self._graph.prepared))
        self._journal.begin_build(dates, self._policy.transformation)
        try:
            nodes = self._build(dates, months)
        except TransformationError:
            # Record the end of the build, so that runs of other dates do not complete it.
            self._journal.end_build(dates, Build(is_built=False))
            raise
        yield from self._events(nodes, asked, dates, months)

    def _build(self, dates: Sequence[dt.date], months: Sequence[dt.date]) -> list[NodeResult]:
        """Build as many dates at a time as fit into memory; months with the last ones."""
        sizes = {date: bytes_in(self._journal.days[date].files) for date in dates}
        policy = replace(self._policy, days_per_run=len(dates))
        groups = batches(dates, sizes, policy, may_have_gaps=True)
        results: list[NodeResult] = []
        for group in groups:
            due = months if group is groups[-1] else ()
            results = merged(results, self._run(group, due))
            if any(result.is_failed for result in results):
                break
        self._warehouse.disconnect_dbt()
        return results

    def _run(self, dates: Sequence[dt.date], months: Sequence[dt.date]) -> list[NodeResult]:
        return build_with_retries(
            lambda unbuilt: run_dbt(
                self._graph.prepared,
                build_arguments(
                    dates,
                    unbuilt,
                    self._settings.dbt.threads,
                    self._settings.deliveries.movement_percents,
                    months,
                ),
                self._warehouse.dbt_environment(),
                showing_nodes(self._graph.size(unbuilt, closes_months=bool(months))),
            ),
            self._select,
            RetryPolicy(self._warehouse.is_transient, self._warehouse.retry_seconds),
            show_progress,
        )

    def _events(
        self,
        nodes: list[NodeResult],
        asked: Sequence[dt.date],
        dates: Sequence[dt.date],
        months: Sequence[dt.date],
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        graph, warehouse = self._graph, self._warehouse
        self._context.log.info(listed(graph, nodes))
        selected = self._context.selected_asset_check_keys
        equations = read_reconciliation_breaks(graph, nodes, warehouse)
        tables = {test: as_table(found) for test, found in equations.items()}
        checks = list(check_results(graph, nodes, selected, tables))
        made = {graph.title_of(it.unique_id) for it in nodes if it.status == "success"}
        files = read_processed_files(warehouse) if _LEDGER in made else None
        if files is not None:
            checks += check_freshness_and_volume(files, self._settings, asked, selected)
        closed = None if files is None else {it.as_of_date for it in files if it.is_closed}
        held = held_dates(warehouse) if _MOVEMENTS in made else None
        self._record(nodes, dates, checks, closed, held)
        log_month_ends(self._context, self._months, nodes, warehouse, months)
        yield from materializations(graph, nodes, warehouse, self._context.selected_asset_keys)
        yield from checks
        if is_only_held([graph.title_of(it.unique_id) for it in nodes if it.is_failed]):
            hold(self._settings, warehouse, dates)
        fail_if_failed(graph, nodes, {test: describe(found) for test, found in equations.items()})
        fail_without_evidence(graph, nodes, self._select)
        if months:
            fail_without_evidence(self._months, nodes)
            self._journal.close_months(last_deliveries(months, self._closed_with(dates)))

    def _record(
        self,
        nodes: Sequence[NodeResult],
        dates: Sequence[dt.date],
        checks: Sequence[dg.AssetCheckResult],
        closed: Collection[dt.date] | None,
        held: Collection[dt.date] | None,
    ) -> None:
        """Record the results of the dates before Dagster gets events, which may fail.

        Nodes that were not built keep their earlier results.
        """
        passed = record_checks(
            self._warehouse, dates, [check_result(it) for it in checks], keeps_others=True
        )
        is_good = is_proven(self._graph, nodes, self._select)
        days = self._journal.days
        self._journal.end_build(
            dates,
            Build(
                is_built=is_good and (not self._select or self._was_whole),
                closed={it for it in dates if days[it].is_closed} if closed is None else closed,
                held={it for it in dates if days[it].is_held} if held is None else held,
                blocking_checks=passed,
            ),
        )

    def _due(self, dates: Sequence[dt.date]) -> list[dt.date]:
        """Return the months that this build closes; a part of the project closes none."""
        if self._select:
            return []
        days = self._journal.days
        ended = {date for date, state in days.items() if state.month_closed_at is not None}
        return months_due(dates, self._closed_with(dates), ended)

    def _closed_with(self, dates: Sequence[dt.date]) -> set[dt.date]:
        """Return the dates whose ledger closes, assuming that those of this build do."""
        return {date for date, it in self._journal.days.items() if it.is_closed} | set(dates)

    def _landed(self, wanted: Sequence[dt.date], asked: Sequence[dt.date]) -> list[dt.date]:
        """Return the dates that are landed; the rows of others must not be emptied."""
        if not wanted:
            return []
        rows: list[dict[str, Any]] = []
        with suppress(NotLandedError):
            rows = self._warehouse.fetch(
                "select distinct as_of_date from delivered_files where as_of_date between ? and ?",
                [wanted[0], wanted[-1]],
            )
        landed = sorted({row["as_of_date"] for row in rows} & set(wanted))
        if not landed and any(date in wanted for date in asked):
            raise TransformationError(
                f"No delivery of {asked[0]} is landed yet. Materialize customers_raw of it first."
                if len(asked) == 1
                else f"No delivery from {asked[0]} through {asked[-1]} is landed yet."
            )
        return landed


def _landed_last(warehouse: Warehouse) -> list[dt.date]:
    rows = warehouse.fetch(
        "select as_of_date from delivered_files order by loaded_at desc, as_of_date desc limit 1"
    )
    if not rows:
        raise TransformationError("No delivery is landed yet. Materialize customers_raw first.")
    return [rows[0]["as_of_date"]]
