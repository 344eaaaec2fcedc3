"""Events and messages for Dagster about nodes that dbt built, with rows, columns and lineage."""

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any, Final

import dagster as dg

from lending_club_pipeline.dbt_runner.invocation import NodeResult
from lending_club_pipeline.dbt_runner.lineage import ColumnLineage, trace_in_subprocess
from lending_club_pipeline.defs.dbt.graph import DbtGraph
from lending_club_pipeline.defs.progress import show_step
from lending_club_pipeline.warehouse import Warehouse

_EVALUATED: Final = ("pass", "warn", "fail", "error")


def showing_nodes(total: int) -> Callable[[str, str, float], None]:
    """Return a function that reports the result of each node to the followers of the run.

    Args:
        total: how many nodes the build has.
    """
    # dbt's threads report several nodes at once.
    done = itertools.count(1)

    def show(name: str, status: str, seconds: float) -> None:
        show_step(f"dbt {name}: {status} ({seconds:.2f} s; {next(done)} of {total})")

    return show


def merged(first: Sequence[NodeResult], then: Sequence[NodeResult]) -> list[NodeResult]:
    """Merge the results of two builds of the same nodes: the worse result counts."""
    known = {result.unique_id: result for result in first}
    for result in then:
        before = known.get(result.unique_id)
        worse = before if before is not None and before.is_failed else result
        seconds = result.seconds + (0.0 if before is None else before.seconds)
        found = [it.failures for it in (before, result) if it and it.failures is not None]
        known[result.unique_id] = replace(
            worse, seconds=round(seconds, 3), failures=sum(found) if found else None
        )
    return list(known.values())


def listed(graph: DbtGraph, results: Sequence[NodeResult]) -> str:
    """List all nodes in one message: one event per node would cost more than the nodes."""
    built = [result for result in results if result.status != "no-op"]
    lines = (f"{it.seconds:8.2f} s  {it.status:8} {graph.title_of(it.unique_id)}" for it in built)
    seconds = sum(result.seconds for result in built)
    return "\n".join([f"dbt built {len(built)} nodes in {seconds:.1f} s", *lines])


def materializations(
    graph: DbtGraph,
    results: Sequence[NodeResult],
    warehouse: Warehouse,
    selected: AbstractSet[dg.AssetKey],
) -> Iterator[dg.MaterializeResult]:
    """Yield the built assets, with rows, columns, lineage and duration."""
    by_id = {result.unique_id: result for result in results}
    done = {it for it in graph.in_order if it in by_id and by_id[it].status == "success"}
    names = [graph.name_of(it) for it in graph.in_order if it in done]
    facts = read_table_facts(warehouse, names, graph.uncounted)
    part = "column_lineage_of_months" if graph.is_month_end else "column_lineage"
    lineage = graph.prepared.cached(part, lambda: _trace(graph, by_id, warehouse))
    for unique_id in graph.in_order:
        # An ephemeral model is part of the models that use it: it exists when its parents do.
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


def check_results(
    graph: DbtGraph,
    results: Sequence[NodeResult],
    selected: AbstractSet[dg.AssetCheckKey],
    found: Mapping[str, dg.TableMetadataValue] | None = None,
) -> Iterator[dg.AssetCheckResult]:
    """Yield the check results of the tests.

    Args:
        graph: the nodes of the dbt project.
        results: their results.
        selected: requested checks.
        found: rows of failed tests without personal data, by unique id.
    """
    by_id = {result.unique_id: result for result in results}
    for unique_id, check in graph.check_specs.items():
        result = by_id.get(unique_id)
        if check.key in selected and result is not None and result.status in _EVALUATED:
            rows = (found or {}).get(unique_id)
            yield _check_result(check, result, {} if rows is None else {"found": rows})


def _trace(
    graph: DbtGraph,
    results: Mapping[str, NodeResult],
    warehouse: Warehouse,
) -> ColumnLineage:
    compiled = {
        graph.name_of(it): result.compiled
        for it, result in results.items()
        if it in graph.specs and result.compiled
    }
    tables = [graph.name_of(it) for it in graph.in_order if not graph.is_ephemeral(it)]
    schema = read_columns(warehouse, [*tables, *graph.sources])
    return trace_in_subprocess(compiled, schema, warehouse.engine)


def _check_result(
    spec: dg.AssetCheckSpec, result: NodeResult, found: Mapping[str, dg.TableMetadataValue]
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=spec.asset_key,
        check_name=spec.name,
        passed=result.status == "pass",
        description=spec.description,
        severity=dg.AssetCheckSeverity.ERROR if spec.blocking else dg.AssetCheckSeverity.WARN,
        metadata={
            "failing_rows": result.failures or 0,
            "duration_seconds": result.seconds,
            **found,
        },
    )


@dataclass(frozen=True)
class TableFacts:
    """Facts about a relation from the warehouse.

    Attributes:
        row_count: rows in it, or None if they are not counted.
        columns: type by column name, in order.
    """

    row_count: int | None
    columns: Mapping[str, str]


def read_table_facts(
    warehouse: Warehouse, names: Sequence[str], uncounted: Collection[str] = ()
) -> dict[str, TableFacts]:
    """Read rows and columns of some relations, with two statements in all.

    Args:
        warehouse: the open warehouse.
        names: the relations.
        uncounted: relations whose rows are not counted.
    """
    counts = " union all ".join(
        f"select '{name}' as name, count(*) as row_count from {name}"
        for name in names
        if name not in uncounted
    )
    row_counts = (
        {row["name"]: row["row_count"] for row in warehouse.fetch(counts)} if counts else {}
    )
    columns = read_columns(warehouse, names) if names else {}
    return {name: TableFacts(row_counts.get(name), columns[name]) for name in names}


def read_columns(warehouse: Warehouse, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Read the columns of some relations, in order, and their types."""
    listed = ", ".join(f"'{name}'" for name in names)
    columns: dict[str, dict[str, str]] = {name: {} for name in names}
    for row in warehouse.fetch(
        "select table_name, column_name, data_type from information_schema.columns "
        f"where table_schema = current_schema() and table_name in ({listed}) "
        "order by table_name, ordinal_position"
    ):
        columns[row["table_name"]][row["column_name"]] = row["data_type"].lower()
    return columns


def model_metadata(
    result: NodeResult | None, facts: TableFacts | None, descriptions: Mapping[str, str]
) -> dict[str, Any]:
    """Return the metadata of a materialized model.

    Args:
        result: dbt's result, or None for an ephemeral model.
        facts: facts from the warehouse, or None for an ephemeral model.
        descriptions: documented columns.
    """
    metadata: dict[str, Any] = {}
    if result is not None:
        metadata["duration_seconds"] = result.seconds
    if facts is not None:
        if facts.row_count is not None:
            metadata["dagster/row_count"] = facts.row_count
        metadata["dagster/column_schema"] = dg.TableSchema(
            [
                dg.TableColumn(column, type_, descriptions.get(column))
                for column, type_ in facts.columns.items()
            ]
        )
    return metadata


def lineage_metadata(columns: Mapping[str, Sequence[tuple[str, str]]]) -> dict[str, Any]:
    """Return the column lineage of a model as Dagster shows it."""
    if not columns:
        return {}
    deps = {
        column: [
            dg.TableColumnDep(asset_key=parent, column_name=parent_column)
            for parent, parent_column in parents
        ]
        for column, parents in columns.items()
    }
    return {"dagster/column_lineage": dg.TableColumnLineage(deps)}
