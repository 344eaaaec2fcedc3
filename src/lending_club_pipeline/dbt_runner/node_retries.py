"""Retry dbt nodes that failed with a transient error. Every node is idempotent.

The warehouse decides which errors are transient and how long to retry. Other statements than dbt's
are retried by `warehouse/databricks/statements.py`.
"""

import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from lending_club_pipeline.contract.errors import TransformationError
from lending_club_pipeline.dbt_runner.invocation import NodeResult

_FIRST_WAIT_SECONDS: Final = 1.0
_LONGEST_WAIT_SECONDS: Final = 60.0


@dataclass(frozen=True)
class RetryPolicy:
    """Which errors are retried, and for how long.

    Attributes:
        is_transient: whether the message of an engine describes a transient error.
        seconds: how long to retry without progress; the time of the builds does not count.
    """

    is_transient: Callable[[str], bool]
    seconds: float


@dataclass
class _Pauses:
    """Pauses that grow. Progress resets the pause and the deadline."""

    seconds: float
    _deadline: float = 0.0
    _wait: float = 0.0
    _most_done: int = -1

    def next(self, known: Iterable[NodeResult]) -> float | None:
        """Return how long to wait before the next attempt, or None after the deadline."""
        done = sum(not (it.is_failed or it.status == "skipped") for it in known)
        self._wait = min(self._wait * 2, _LONGEST_WAIT_SECONDS)
        if done > self._most_done:
            self._most_done = done
            self._deadline = time.monotonic() + self.seconds
            self._wait = _FIRST_WAIT_SECONDS
        return None if time.monotonic() + self._wait > self._deadline else self._wait


def build_with_retries(
    build: Callable[[Sequence[str]], list[NodeResult]],
    select: Sequence[str],
    policy: RetryPolicy,
    on_wait: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> list[NodeResult]:
    """Build nodes; retry those that a transient error stopped, and the nodes that depend on them.

    Args:
        build: builds the nodes of a selection (none means all) and returns the result of each.
        select: names of the nodes to build.
        policy: which errors are retried, and for how long.
        on_wait: called with a message before each pause.
        sleep: waits for a number of seconds.

    Returns:
        The last result of each node.

    Raises:
        TransformationError: dbt could not run at all.
    """
    pauses = _Pauses(policy.seconds)
    known: dict[str, NodeResult] = {}
    selected = list(select)
    while True:
        reason = ""
        try:
            known |= {result.unique_id: result for result in build(selected)}
        except TransformationError as error:
            reason = str(error)
            if not policy.is_transient(reason):
                raise
        failed = [result for result in known.values() if result.is_failed]
        is_hopeless = any(not policy.is_transient(result.message) for result in failed)
        if not reason and (not failed or is_hopeless):
            return list(known.values())
        wait = pauses.next(known.values())
        if wait is None:
            if reason:
                raise TransformationError(reason)
            return list(known.values())
        if failed:
            unbuilt = (it for it in known.values() if it.is_failed or it.status == "skipped")
            # dbt builds nothing for an exposure.
            names = (_name(it.unique_id) for it in unbuilt if not _is_exposure(it))
            selected = list(names)
        on_wait(f"The warehouse had a transient error; retrying in {wait:.0f} s")
        sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - spreads retries, hides nothing


def _is_exposure(result: NodeResult) -> bool:
    return result.unique_id.startswith("exposure.")


def _name(unique_id: str) -> str:
    """Return the name by which dbt selects a node: the third part of its unique id."""
    return unique_id.split(".")[2]
