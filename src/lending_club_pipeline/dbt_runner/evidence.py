"""Evidence of a build: which nodes must have a result. A check that did not run did not pass.

The expected nodes follow from the manifest alone, and are compared with dbt's results. So any
option of dbt that leaves out tests is noticed.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from lending_club_pipeline.dbt_runner.invocation import MONTH_END, NodeResult

Manifest: TypeAlias = Mapping[str, Any]

# A failed test has the status `fail` with severity error, and `warn` with severity warn.
_EVALUATED: Final = frozenset({"pass", "warn"})
_BUILT: Final = frozenset({"success"})


def expected_nodes(
    manifest: Manifest, select: Sequence[str] = (), *, is_month_end: bool = False
) -> set[str]:
    """Return the nodes that must succeed in a build: relations, and tests of severity error.

    Args:
        manifest: dbt's manifest.
        select: dbt's selection: `name`, or `+name` to include all of its parents.
        is_month_end: whether nodes that are made once a month are built, or all others.
    """
    nodes = manifest["nodes"]
    built = nodes_of_build(manifest, select, is_month_end=is_month_end, closes_months=is_month_end)
    return {
        it for it in built if nodes[it]["resource_type"] != "test" or is_blocking_test(nodes[it])
    }


def nodes_of_build(
    manifest: Manifest,
    select: Sequence[str] = (),
    *,
    is_month_end: bool = False,
    closes_months: bool = False,
) -> set[str]:
    """Return the relations that a build makes and the tests that it runs.

    Args:
        manifest: dbt's manifest.
        select: dbt's selection; none means all.
        is_month_end: whether only nodes that are made once a month are built.
        closes_months: whether nodes that are made once a month are included.
    """
    nodes = manifest["nodes"]
    of_months = {it for it, node in nodes.items() if MONTH_END in node["tags"]}
    everything = of_months if is_month_end else set(nodes)
    chosen = _selected(manifest, select) if select else everything
    left_out = set() if closes_months else of_months
    tests = {
        unique_id
        for unique_id, node in nodes.items()
        if node["resource_type"] == "test"
        and (unique_id in chosen or _parents(node) & chosen)
        and not _parents(node) & left_out
    }
    relations = {it for it in chosen - left_out if it in nodes and _is_relation(nodes[it])}
    return tests | relations


def without_evidence(expected: Iterable[str], results: Iterable[NodeResult]) -> list[str]:
    """Return the expected nodes without a good result, including tests that never ran.

    Args:
        expected: unique ids of tests and relations, as from `expected_nodes`.
        results: dbt's results of its nodes.
    """
    proven = {it.unique_id for it in results if it.status in _EVALUATED | _BUILT}
    return sorted(set(expected) - proven)


def is_blocking_test(node: Mapping[str, Any]) -> bool:
    """Return whether a node of the manifest is a test that must pass before publication.

    Unit tests do not count: they prove the code, not the data.
    """
    severity = str(node["config"].get("severity") or "error").lower()
    return bool(node["resource_type"] == "test" and severity == "error")


def _is_relation(node: Mapping[str, Any]) -> bool:
    is_relation = node["resource_type"] in {"model", "seed", "snapshot"}
    return is_relation and node["config"].get("materialized") != "ephemeral"


def _parents(node: Mapping[str, Any]) -> set[str]:
    return set(node["depends_on"].get("nodes", []))


def _selected(manifest: Manifest, select: Sequence[str]) -> set[str]:
    nodes = manifest["nodes"]
    ids = {node["name"]: unique_id for unique_id, node in nodes.items()}
    # dbt lists exposures as skipped, but does not build them.
    chosen = {ids[name] for name in select if name in ids}
    above = [ids[name.removeprefix("+")] for name in select if name.startswith("+")]
    while above:
        unique_id = above.pop()
        if unique_id not in chosen:
            chosen.add(unique_id)
            above += _parents(nodes[unique_id]) if unique_id in nodes else ()
    return chosen
