"""SIGKILL at random moments: old or new outputs, a closed ledger, and a next run without help."""

import random
from pathlib import Path

import pytest

from tests.faults.kill_scenarios import SCENARIOS
from tests.faults.killing import KillHarness, Scenario

_SEED = 20260131
# `make bench-faults` kills fifty times, in all scenarios.
_KILLS = {"restated day": 2, "backfill": 1}


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "scenario", [it for it in SCENARIOS if it.name in _KILLS], ids=lambda it: it.name
)
def test_a_run_killed_at_any_moment_loses_nothing_and_the_next_one_completes(
    scenario: Scenario, tmp_path: Path, prepared_dbt: Path
) -> None:
    harness = KillHarness(scenario, tmp_path, prepared_dbt)
    kill_points = harness.kill_points(random.Random(_SEED))

    kills = [harness.kill(kill_points) for _ in range(_KILLS[scenario.name])]

    assert [kill for kill in kills if kill.findings] == []
