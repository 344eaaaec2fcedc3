"""What a build must prove follows from the manifest; a test without a result proves nothing."""

from typing import Any

import pytest

from lending_club_pipeline.dbt_runner.evidence import (
    expected_nodes,
    nodes_of_build,
    without_evidence,
)
from lending_club_pipeline.dbt_runner.invocation import NodeResult, NodeStatus


def node(kind: str, *parents: str, **config: Any) -> dict[str, Any]:
    tags = config.pop("tags", [])
    config = {"materialized": "table"} | config if kind == "model" else config
    return {
        "resource_type": kind,
        "tags": tags,
        "config": config,
        "depends_on": {"nodes": list(parents)},
    }


NODES: dict[str, dict[str, Any]] = {
    "rates": node("seed"),
    "base": node("model", "source.raw"),
    "joined": node("model", "base", materialized="ephemeral"),
    "summary": node("model", "joined", "rates"),
    "monthly": node("model", "summary", tags=["month_end"]),
    "base_unique": node("test", "base", severity="ERROR"),
    "base_tidy": node("test", "base", severity="warn"),
    "joined_complete": node("test", "joined"),
    "summary_adds_up": node("test", "summary", "base"),
    "monthly_equals_summary": node("test", "monthly", "summary"),
}
MANIFEST = {"nodes": {name: {"name": name, **it} for name, it in NODES.items()}}
DAILY = {"rates", "base", "summary", "base_unique", "joined_complete", "summary_adds_up"}


def result(name: str, status: NodeStatus) -> NodeResult:
    return NodeResult(name, status, 0.1, None, "", "")


def test_all_but_the_month_ends_and_what_only_warns_is_expected_of_a_delivery() -> None:
    assert expected_nodes(MANIFEST) == DAILY


def test_the_month_ends_and_all_that_looks_at_them_are_expected_of_a_month() -> None:
    expected = expected_nodes(MANIFEST, is_month_end=True)

    assert expected == {"monthly", "monthly_equals_summary"}


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        (["+base"], {"base", "base_unique", "summary_adds_up"}),
        (["+summary"], DAILY),
        (["base_unique"], {"base_unique"}),
        (["base_tidy"], set()),
    ],
)
def test_of_a_part_what_it_is_made_of_and_every_test_that_touches_it_is_expected(
    select: list[str], expected: set[str]
) -> None:
    assert expected_nodes(MANIFEST, select) == expected


def test_a_build_has_what_only_warns_and_the_month_ends_that_it_closes_as_well() -> None:
    assert nodes_of_build(MANIFEST) == DAILY | {"base_tidy"}
    assert nodes_of_build(MANIFEST, closes_months=True) == NODES.keys() - {"joined"}


@pytest.mark.parametrize("status", ["fail", "error", "skipped", "no-op", None])
def test_only_a_result_that_is_good_is_evidence(status: NodeStatus | None) -> None:
    results = [result(it, "pass" if it in NODES else "success") for it in DAILY - {"base_unique"}]
    results += [] if status is None else [result("base_unique", status)]

    assert without_evidence(DAILY, results) == ["base_unique"]


@pytest.mark.parametrize("status", ["pass", "warn"])
def test_a_test_that_was_evaluated_is_evidence(status: NodeStatus) -> None:
    assert without_evidence(["base_unique"], [result("base_unique", status)]) == []
