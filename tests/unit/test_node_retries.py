"""A build that a transient fault stopped goes on where it stopped."""

from collections.abc import Sequence

import pytest

from lending_club_pipeline.contract.errors import TransformationError
from lending_club_pipeline.dbt_runner import node_retries
from lending_club_pipeline.dbt_runner.invocation import NodeResult, NodeStatus
from lending_club_pipeline.dbt_runner.node_retries import RetryPolicy, build_with_retries


def node(name: str, status: NodeStatus, message: str = "") -> NodeResult:
    return NodeResult(f"model.lending_club.{name}", status, 0.1, None, message, "")


class Builds:
    """Gives one prepared outcome per call and remembers what was asked for."""

    def __init__(self, *outcomes: list[NodeResult] | Exception) -> None:
        self.outcomes = list(outcomes)
        self.asked: list[list[str]] = []
        self.waits: list[float] = []

    def __call__(self, select: Sequence[str]) -> list[NodeResult]:
        self.asked.append(list(select))
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def run(self, *, seconds: float = 60) -> dict[str, str]:
        policy = RetryPolicy(lambda message: "reset" in message, seconds)
        results = build_with_retries(self, [], policy, lambda _: None, sleep=self.waits.append)
        return {result.unique_id.split(".")[2]: result.status for result in results}


def test_only_what_is_not_built_yet_is_built_again() -> None:
    builds = Builds(
        [
            node("seed", "success"),
            node("base", "error", "connection reset"),
            node("mart", "skipped"),
        ],
        [node("base", "success"), node("mart", "success")],
    )

    assert builds.run() == {"seed": "success", "base": "success", "mart": "success"}
    assert builds.asked == [[], ["base", "mart"]]
    assert len(builds.waits) == 1


def test_a_failed_test_is_not_tried_again() -> None:
    builds = Builds([node("ledger", "fail", "Got 1 result")])

    assert builds.run() == {"ledger": "fail"}
    assert builds.waits == []


def test_one_permanent_fault_makes_waiting_pointless() -> None:
    builds = Builds([node("a", "error", "connection reset"), node("b", "error", "no such table")])

    assert builds.run() == {"a": "error", "b": "error"}
    assert builds.waits == []


def test_dbt_that_cannot_connect_is_started_again() -> None:
    builds = Builds(TransformationError("connection reset"), [node("a", "success")])

    assert builds.run() == {"a": "success"}
    assert builds.asked == [[], []]


def test_retries_end() -> None:
    with pytest.raises(TransformationError, match="connection reset"):
        Builds(TransformationError("connection reset")).run(seconds=0)


def test_pauses_grow() -> None:
    again = [node("a", "error", "connection reset")]
    builds = Builds(again, again, again, again, [node("a", "success")])

    builds.run()

    assert len(builds.waits) == 4
    assert builds.waits[3] > builds.waits[0] * 2


def test_the_time_of_a_build_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(node_retries.time, "monotonic", lambda: now[0])
    again = [node("b", "error", "connection reset"), node("c", "skipped")]
    builds = Builds(
        [node("a", "success"), *again],
        [node("b", "success"), node("c", "error", "connection reset")],
        [node("c", "success")],
    )

    def build_for_an_hour(select: Sequence[str]) -> list[NodeResult]:
        now[0] += 3600
        return builds(select)

    policy = RetryPolicy(lambda message: "reset" in message, 60)
    results = build_with_retries(
        build_for_an_hour, [], policy, lambda _: None, sleep=builds.waits.append
    )

    assert {result.status for result in results} == {"success"}


def test_retries_end_without_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(node_retries.time, "monotonic", lambda: now[0])
    again = [node("a", "error", "connection reset")]
    builds = Builds(*[again] * 100)

    def sleep(seconds: float) -> None:
        now[0] += seconds
        builds.waits.append(seconds)

    policy = RetryPolicy(lambda message: "reset" in message, 60)
    results = build_with_retries(builds, [], policy, lambda _: None, sleep)

    assert [result.status for result in results] == ["error"]
    assert 20 < sum(builds.waits) <= 60
