"""Builds that end a run: a node failed or was not run, or a delivery moved beyond its limits."""

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, NoReturn

from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.errors import HeldDeliveryError, TransformationError
from lending_club_pipeline.dbt_runner.evidence import without_evidence
from lending_club_pipeline.dbt_runner.invocation import NodeResult
from lending_club_pipeline.defs.dbt.graph import DbtGraph
from lending_club_pipeline.publish.held_pages import write_held_pages
from lending_club_pipeline.reconcile.checks import read_checks
from lending_club_pipeline.reconcile.movements import held_dates
from lending_club_pipeline.storage.outputs import outputs_of
from lending_club_pipeline.warehouse import Warehouse

# The dbt test that stops the nodes after `publishable_deliveries`.
_GATE: Final = "movements_are_within_limits_or_approved"


def fail_if_failed(
    graph: DbtGraph, results: Sequence[NodeResult], said: Mapping[str, str] | None = None
) -> None:
    """Fail if a node failed.

    Args:
        graph: the nodes of the dbt project.
        results: their results.
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
        results: their results.
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


def is_only_held(failed: Sequence[str]) -> bool:
    """Whether only the test for held deliveries failed in a dbt run.

    Args:
        failed: names of the failed nodes.
    """
    return list(failed) == [_GATE]


def hold(
    settings: DataPlatformConfig,
    warehouse: Warehouse,
    dates: Sequence[dt.date],
) -> NoReturn:
    """Write a page for each held delivery of a run, and end the run.

    Args:
        settings: where outputs are published.
        warehouse: an open warehouse.
        dates: business dates of the run.

    Raises:
        HeldDeliveryError: always; it names the movements and the remedy.
    """
    held = held_dates(warehouse, dates)
    checks = partial(read_checks, warehouse)
    page = write_held_pages(
        warehouse, outputs_of(settings), held, checks, settings.outputs.currency
    )
    raise HeldDeliveryError(page, held)
