"""Every model and seed of the dbt project as an asset, every dbt test as an asset check."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any, Final

import dagster as dg

from lending_club_pipeline.defs.partitions import dates_of
from lending_club_pipeline.defs.progress import show_progress
from lending_club_pipeline.defs.resources import PlatformResource, WarehouseResource
from lending_club_pipeline.defs.transform.holds import hold, is_only_held
from lending_club_pipeline.defs.transform.metadata import (
    lineage_metadata,
    model_metadata,
    read_columns,
    read_table_facts,
)
from lending_club_pipeline.defs.transform.regularity import REGULARITY_CHECKS, check_regularity
from lending_club_pipeline.defs.transform.specs import translate
from lending_club_pipeline.errors import TransformationError
from lending_club_pipeline.transformation.interruptions import completing
from lending_club_pipeline.transformation.manifests import PreparedManifest
from lending_club_pipeline.transformation.retries import Patience, build_with_patience
from lending_club_pipeline.transformation.runs import NodeResult, build_arguments, run_dbt
from lending_club_pipeline.warehouse import Warehouse

if TYPE_CHECKING:
    from lending_club_pipeline.transformation.column_lineage import ColumnLineage

_LEDGER: Final = "delivery_ledger"
_EVALUATED: Final = ("pass", "warn", "fail", "error")


@dataclass(frozen=True)
class DbtGraph:
    """The nodes of a manifest as assets and checks."""

    prepared: PreparedManifest

    @cached_property
    def _nodes(self) -> Mapping[str, Any]:
        nodes: Mapping[str, Any] = self.prepared.content["nodes"]
        return nodes

    @cached_property
    def specs(self) -> dict[str, dg.AssetSpec]:
        """Assets by dbt's unique id."""
        return translate(self.prepared)

    @cached_property
    def parents(self) -> dict[str, set[str]]:
        """Upstream nodes that are assets of this project, by unique id."""
        return {
            unique_id: set(self._nodes[unique_id]["depends_on"]["nodes"]) & self.specs.keys()
            if "nodes" in self._nodes[unique_id]["depends_on"]
            else set()
            for unique_id in self.specs
        }

    @cached_property
    def in_order(self) -> tuple[str, ...]:
        """Assets with every parent before its children."""
        return tuple(TopologicalSorter(self.parents).static_order())

    @cached_property
    def check_specs(self) -> dict[str, dg.AssetCheckSpec]:
        """Checks by dbt's unique id of the test."""
        return {
            unique_id: dg.AssetCheckSpec(
                name=node["name"],
                asset=self.specs[node["attached_node"]].key,
                description=node["config"].get("meta", {}).get("description"),
                blocking=node["config"].get("severity", "error").lower() == "error",
                metadata={"dbt_unique_id": unique_id},
            )
            for unique_id, node in self._nodes.items()
            if node["resource_type"] == "test" and node.get("attached_node") in self.specs
        }

    @property
    def sources(self) -> list[str]:
        """Names of the relations that dbt reads and does not make."""
        return [source["name"] for source in self.prepared.content["sources"].values()]

    @cached_property
    def uncounted(self) -> frozenset[str]:
        """Relations whose rows are not counted after each run: views that compute much."""
        return frozenset(
            node["name"]
            for node in self._nodes.values()
            if node["config"].get("meta", {}).get("is_costly_to_count")
        )

    def name_of(self, unique_id: str) -> str:
        """Return a node's name, which is also the name of its relation."""
        return str(self._nodes[unique_id]["name"])

    def title_of(self, unique_id: str) -> str:
        """Return the name of a node of any kind, for messages."""
        return str(self._nodes[unique_id]["name"]) if unique_id in self._nodes else unique_id

    def column_descriptions(self, unique_id: str) -> dict[str, str]:
        """Return the documented columns of a node."""
        columns = self._nodes[unique_id]["columns"]
        return {name: column["description"] for name, column in columns.items()}

    def is_ephemeral(self, unique_id: str) -> bool:
        """Whether a model has no relation of its own."""
        return bool(self._nodes[unique_id]["config"].get("materialized") == "ephemeral")

    def selected(
        self, assets: AbstractSet[dg.AssetKey], checks: AbstractSet[dg.AssetCheckKey]
    ) -> list[str]:
        """Return the dbt selection for some assets and checks; empty for all of them.

        A model is built with all that it is made of: the base tables hold the dates of the run
        that built them, which may be others.
        """
        if assets == {spec.key for spec in self.specs.values()}:
            return []
        models = [f"+{self.name_of(it)}" for it, spec in self.specs.items() if spec.key in assets]
        tests = [self.name_of(it) for it, spec in self.check_specs.items() if spec.key in checks]
        return [*models, *tests]

    def partitioned(
        self,
        partitions: dg.PartitionsDefinition,
    ) -> list[dg.AssetSpec]:
        """Return the assets, those that depend on the business date with partitions."""
        return [
            spec
            if self._nodes[unique_id]["resource_type"] == "seed"
            else spec.replace_attributes(partitions_def=partitions)
            for unique_id, spec in self.specs.items()
        ]


def build_dbt_assets(
    prepared: PreparedManifest,
    partitions: dg.PartitionsDefinition,
) -> dg.AssetsDefinition:
    """Make the assets of the dbt project.

    Args:
        prepared: the parsed project.
        partitions: the business dates.
    """
    graph = DbtGraph(prepared)

    @dg.multi_asset(
        name="dbt_project",
        specs=graph.partitioned(partitions),
        check_specs=[*graph.check_specs.values(), *REGULARITY_CHECKS],
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def dbt_project(
        context: dg.AssetExecutionContext, platform: PlatformResource, warehouse: WarehouseResource
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:  # type: ignore[type-arg]
        """Build models and seeds of the run's deliveries with one dbt call, and test them.

        Raises:
            TransformationError: a model failed or a test of severity error found something.
            HeldDeliveryError: the delivery moved further than allowed and nobody approved that.
        """
        asked = _landed_dates(context, warehouse.warehouse)
        with completing(platform.settings.landing, asked) as dates:
            _tell_of_interrupted(context, asked, dates)
            results = build_with_patience(
                lambda select: run_dbt(
                    prepared,
                    build_arguments(
                        dates,
                        select,
                        platform.settings.dbt_threads,
                        platform.settings.movement_percents,
                    ),
                    warehouse.warehouse.dbt_environment(),
                    _show_node,
                ),
                graph.selected(context.selected_asset_keys, context.selected_asset_check_keys),
                Patience(warehouse.warehouse.is_transient, warehouse.warehouse.retry_seconds),
                show_progress,
            )
        warehouse.warehouse.disconnect_dbt()
        context.log.info(_listed(graph, results))
        yield from _materializations(
            graph, results, warehouse.warehouse, context.selected_asset_keys
        )
        yield from _check_results(graph, results, context.selected_asset_check_keys)
        if _LEDGER in {graph.title_of(it.unique_id) for it in results if it.status == "success"}:
            yield from check_regularity(
                warehouse.warehouse, platform.settings, asked, context.selected_asset_check_keys
            )
        if is_only_held([graph.title_of(it.unique_id) for it in results if it.is_failed]):
            hold(context, platform, warehouse.warehouse, dates)
        _fail_if_failed(graph, results)

    return dbt_project


def _tell_of_interrupted(
    context: dg.AssetExecutionContext, asked: Sequence[dt.date], dates: Sequence[dt.date]
) -> None:
    others = [date.isoformat() for date in dates if date not in asked]
    if others:
        context.log.info(f"Built with it, because a run was interrupted: {', '.join(others)}")


def _show_node(name: str, status: str, seconds: float) -> None:
    # An exposure is a node, too, but nothing is done for it.
    if status != "no-op":
        show_progress(f"dbt {name}: {status} ({seconds:.2f} s)")


def _listed(graph: DbtGraph, results: Sequence[NodeResult]) -> str:
    """List what dbt did in one message: one event per node would cost more than the nodes."""
    lines = (f"{it.seconds:8.2f} s  {it.status:8} {graph.title_of(it.unique_id)}" for it in results)
    seconds = sum(result.seconds for result in results)
    return "\n".join([f"dbt built {len(results)} nodes in {seconds:.1f} s", *lines])


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


def _materializations(
    graph: DbtGraph,
    results: Sequence[NodeResult],
    warehouse: Warehouse,
    selected: AbstractSet[dg.AssetKey],
) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
    by_id = {result.unique_id: result for result in results}
    done = {it for it in graph.in_order if it in by_id and by_id[it].status == "success"}
    names = [graph.name_of(it) for it in graph.in_order if it in done]
    facts = read_table_facts(warehouse, names, graph.uncounted)
    lineage = graph.prepared.remembered("column_lineage", lambda: _trace(graph, by_id, warehouse))
    for unique_id in graph.in_order:
        # An ephemeral model is part of the models that use it: it is there when its parents are.
        if graph.is_ephemeral(unique_id) and graph.parents[unique_id] <= done:
            done.add(unique_id)
        spec = graph.specs[unique_id]
        if unique_id in done and spec.key in selected:
            name = graph.name_of(unique_id)
            yield dg.MaterializeResult(
                asset_key=spec.key,
                metadata=model_metadata(
                    by_id.get(unique_id), facts.get(name), graph.column_descriptions(unique_id)
                )
                | lineage_metadata(lineage.get(name, {})),
            )


def _check_results(
    graph: DbtGraph, results: Sequence[NodeResult], selected: AbstractSet[dg.AssetCheckKey]
) -> Iterator[dg.AssetCheckResult]:
    by_id = {result.unique_id: result for result in results}
    for unique_id, check in graph.check_specs.items():
        result = by_id.get(unique_id)
        if check.key in selected and result is not None and result.status in _EVALUATED:
            yield _check_result(check, result)


def _trace(
    graph: DbtGraph,
    results: Mapping[str, NodeResult],
    warehouse: Warehouse,
) -> "ColumnLineage":
    from lending_club_pipeline.transformation.column_lineage import (  # noqa: PLC0415
        trace_columns,  # takes 0.1 s to import, and is needed once per project
    )

    compiled = {
        graph.name_of(it): result.compiled
        for it, result in results.items()
        if it in graph.specs and result.compiled
    }
    tables = [graph.name_of(it) for it in graph.in_order if not graph.is_ephemeral(it)]
    schema = read_columns(warehouse, [*tables, *graph.sources])
    return trace_columns(compiled, schema, warehouse.engine)


def _check_result(spec: dg.AssetCheckSpec, result: NodeResult) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=spec.asset_key,
        check_name=spec.name,
        passed=result.status == "pass",
        description=spec.description,
        severity=dg.AssetCheckSeverity.ERROR if spec.blocking else dg.AssetCheckSeverity.WARN,
        metadata={"failing_rows": result.failures or 0, "duration_seconds": result.seconds},
    )


def _fail_if_failed(graph: DbtGraph, results: Sequence[NodeResult]) -> None:
    failed = [result for result in results if result.is_failed]
    if not failed:
        return
    first = failed[0]
    name = graph.title_of(first.unique_id)
    what = "test" if first.status == "fail" else "model or test"
    others = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    raise TransformationError(
        f"dbt {what} {name}{others}: {first.message}. Nothing was published; the outputs of the "
        "last good run are unchanged."
    )
