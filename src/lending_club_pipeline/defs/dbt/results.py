"""Events and messages for Dagster about nodes that dbt built."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Final

import dagster as dg

from lending_club_pipeline.contract.errors import TransformationError
from lending_club_pipeline.dbt_runner.evidence import without_evidence
from lending_club_pipeline.dbt_runner.invocation import NodeResult
from lending_club_pipeline.dbt_runner.lineage import ColumnLineage, trace_in_subprocess
from lending_club_pipeline.defs.dbt.graph import DbtGraph
from lending_club_pipeline.defs.dbt.metadata import (
    lineage_metadata,
    model_metadata,
    read_columns,
    read_table_facts,
)
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
        results: what became of them.
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


def fail_if_failed(
    graph: DbtGraph, results: Sequence[NodeResult], said: Mapping[str, str] | None = None
) -> None:
    """Fail if a node failed.

    Args:
        graph: the nodes of the dbt project.
        results: what became of them.
        said: messages that replace dbt's, by unique id.

    Raises:
        TransformationError: the text names node and cause.
    """
    failed = [result for result in results if result.is_failed]
    if not failed:
        return
    first = failed[0]
    name = graph.title_of(first.unique_id)
    why = (said or {}).get(first.unique_id, first.message)
    what = "test" if first.status == "fail" else "model or test"
    others = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    raise TransformationError(
        f"dbt {what} {name}{others}: {why}. Nothing was published; the outputs of the "
        "last good run are unchanged."
    )


def is_proven(graph: DbtGraph, results: Sequence[NodeResult], select: Sequence[str] = ()) -> bool:
    """Whether no node failed, and every expected node was built or passed."""
    is_failed = any(result.is_failed for result in results)
    return not is_failed and not without_evidence(graph.expected(select), results)


def fail_without_evidence(
    graph: DbtGraph, results: Sequence[NodeResult], select: Sequence[str] = ()
) -> None:
    """Fail if an expected node has no result from dbt.

    Args:
        graph: the nodes of the dbt project.
        results: what became of them.
        select: dbt's selection; none means all.

    Raises:
        TransformationError: the text names the node.
    """
    missing = without_evidence(graph.expected(select), results)
    if not missing:
        return
    others = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
    raise TransformationError(
        f"dbt did not run {graph.title_of(missing[0])}{others}: a check that did not run did "
        "not pass. Nothing was published; the outputs of the last good run are unchanged. Run "
        "again; if it stays so, look for a change of the dbt project."
    )
