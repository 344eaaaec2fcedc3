"""Runs whose process is gone are marked as failed; those that live are left alone."""

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from lending_club_pipeline.config import clock
from lending_club_pipeline.defs import abandoned_runs
from lending_club_pipeline.defs.abandoned_runs import (
    ALIVE_TAG,
    MACHINE_TAG,
    PROCESS_TAG,
    close_abandoned_runs,
    process_tags,
    signs_of_life,
)

ELSEWHERE = {MACHINE_TAG: "another machine", PROCESS_TAG: "1"}


@pytest.fixture(autouse=True)
def _second_look_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abandoned_runs, "_SECOND_LOOK_SECONDS", 0.0)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    # On the disk: threads of their own could not share one in memory.
    with dg.DagsterInstance.local_temp(str(tmp_path)) as opened:
        yield opened


def started(instance: dg.DagsterInstance, tags: dict[str, str]) -> str:
    """Record a run that never says that it ended."""
    run = dg.DagsterRun(job_name="process_delivery", tags=tags, status=dg.DagsterRunStatus.STARTED)
    instance.add_run(run)
    return run.run_id


def seconds_ago(seconds: float) -> str:
    return (dt.datetime.now(dt.UTC) - dt.timedelta(seconds=seconds)).isoformat()


def dead_process() -> str:
    """The number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return str(process.pid)


def test_a_killed_process_of_this_machine_is_noticed_at_once(instance: dg.DagsterInstance) -> None:
    run_id = started(instance, process_tags() | {PROCESS_TAG: dead_process()})

    assert close_abandoned_runs(instance) == [run_id]
    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert run.status == dg.DagsterRunStatus.FAILURE
    assert close_abandoned_runs(instance) == []


def test_a_machine_that_fell_silent_is_given_up(instance: dg.DagsterInstance) -> None:
    run_id = started(instance, ELSEWHERE | {ALIVE_TAG: seconds_ago(60)})

    assert close_abandoned_runs(instance) == [run_id]


def test_a_machine_whose_clock_is_wrong_is_seen_to_live(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = started(instance, ELSEWHERE | {ALIVE_TAG: seconds_ago(600)})

    def sign(_: float) -> None:
        instance.add_run_tags(run_id, {ALIVE_TAG: seconds_ago(590)})

    monkeypatch.setattr(abandoned_runs.time, "sleep", sign)

    assert close_abandoned_runs(instance) == []


def test_runs_that_live_are_left_alone(instance: dg.DagsterInstance) -> None:
    started(instance, ELSEWHERE | {ALIVE_TAG: seconds_ago(20)})
    # A machine that was suspended gives no sign, and its process is there.
    started(instance, process_tags() | {ALIVE_TAG: seconds_ago(600)})
    # It has begun a moment ago.
    started(instance, {})

    assert close_abandoned_runs(instance) == []


def test_a_run_that_never_gave_a_sign_is_given_up_in_the_end(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = started(instance, {})

    then = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=200)
    monkeypatch.setattr(clock, "now", lambda: then)

    assert close_abandoned_runs(instance) == [run_id]


def test_a_run_says_which_process_it_is_and_that_it_lives(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(abandoned_runs, "_SIGN_OF_LIFE_SECONDS", 0.01)
    run_id = started(instance, {})

    def alive_at() -> str:
        run = instance.get_run_by_id(run_id)
        assert run is not None
        assert run.tags[PROCESS_TAG] == str(os.getpid())
        return run.tags[ALIVE_TAG]

    with signs_of_life(instance, run_id):
        first = alive_at()
        deadline = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60)
        while alive_at() == first:
            assert dt.datetime.now(dt.UTC) < deadline
