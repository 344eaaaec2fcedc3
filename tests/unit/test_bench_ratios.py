"""`make bench` tells when the pipeline became slower, and where its time goes."""

import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from bench.measuring import Cost
from bench.profiling import profile
from bench.ratios import LEAST_NOISE, Ratio, noise_of, worse_than


def _recorded(measured: float, noise: float = LEAST_NOISE) -> dict[str, object]:
    return {"ratios": [asdict(Ratio("work", measured, 3.0, noise=noise))]}


@pytest.mark.parametrize(
    ("before", "now", "is_worse"), [(3.0, 3.14, False), (3.0, 3.16, True), (3.0, 2.0, False)]
)
def test_a_ratio_is_worse_if_it_grew_by_more_than_the_noise(
    before: float, now: float, is_worse: bool
) -> None:
    worse = worse_than(_recorded(before), [Ratio("work", now, 3.0)])

    assert bool(worse) == is_worse


def test_the_noise_of_either_measurement_excuses_a_difference() -> None:
    assert worse_than(_recorded(3.0, noise=0.2), [Ratio("work", 3.5, 3.0)]) == []
    assert worse_than(_recorded(3.0), [Ratio("work", 3.5, 3.0, noise=0.2)]) == []


def test_what_was_never_recorded_is_not_worse() -> None:
    assert worse_than({}, [Ratio("work", 9.0, 3.0)]) == []
    assert worse_than(_recorded(3.0), [Ratio("other work", 9.0, 3.0)]) == []


def test_noise_is_what_contenders_differ_from_themselves_and_never_nothing() -> None:
    steady = [Cost(1.0, 10.0, 1), Cost(1.0, 10.0, 1)]
    uneasy = [Cost(1.0, 10.0, 1), Cost(1.0, 8.0, 1)]

    assert noise_of(steady, steady) == LEAST_NOISE
    assert noise_of(steady, uneasy) == pytest.approx(0.2)


_RUN = """
import sys
def work(): sum(range(3_000_000))
for line in ("Splitting a.csv", "dbt a_model: success (0.1 s)", "dbt a_test: pass (0.1 s)"):
    work()
    print(line, file=sys.stderr, flush=True)
work()
sys.exit(int(sys.argv[1]))
"""


def test_a_profile_gives_what_each_step_took_and_puts_tests_together(tmp_path: Path) -> None:
    steps = profile([sys.executable, "-c", _RUN, "0"], {}, tmp_path, frozenset({"a_model"}))

    assert list(steps)[1:] == ["a_model", "tests", "Dagster's records"]
    assert all(it.cpu > 0 and it.wall > 0 for it in steps.values())


def test_a_run_that_fails_has_no_profile(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="ended with 3"):
        profile([sys.executable, "-c", _RUN, "3"], {}, tmp_path, frozenset())
