"""Deliveries, restatements, skipped and late days, backfills and kills in random order.

A hypothesis state machine acts on the pipeline, each command in a process of its own, and on a
model of it in plain Python; after every step both must agree.
"""

import datetime as dt
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.faults.histories import BROKEN, CUSTOMERS, VARIANTS, History, differences
from tests.faults.processes import Ended, KillPoint, run_and_kill
from tests.workspaces import Workspace

FIRST = dt.date(2026, 1, 29)
DAYS = [FIRST + dt.timedelta(days=number) for number in range(4)]

_days = st.sampled_from(DAYS)
_variants = st.integers(0, len(VARIANTS) - 1)
_ranges = st.tuples(_days, _days).map(lambda it: (min(it), max(it)))
# A run changes the file system about forty times, and says as many lines.
_kill_points = st.integers(12, 40).map(lambda number: KillPoint(change=number)) | st.builds(
    KillPoint, line=st.integers(12, 60), seconds=st.floats(0, 0.2)
)


class Histories(RuleBasedStateMachine):
    """The pipeline beside its model."""

    prepared_dbt: Path

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(prefix="history-")
        self.workspace = Workspace(Path(self._folder.name) / "workspace")
        shutil.copytree(self.prepared_dbt, self.workspace.settings().dbt_cache)
        self.history = History()

    def teardown(self) -> None:
        self._folder.cleanup()

    @initialize(first=_variants, second=_variants)
    def begin(self, first: int, second: int) -> None:
        """Two of four days are processed, so that others are late, new or in between."""
        self.deliver(DAYS[0], first)
        self.deliver(DAYS[2], second)
        self.backfill((DAYS[0], DAYS[3]))

    @rule(day=_days, variant=_variants)
    def deliver(self, day: dt.date, variant: int) -> None:
        """Deliver a date, or restate it."""
        self.workspace.deliver(CUSTOMERS, VARIANTS[variant], day)
        self.history.delivered[day] = variant

    @rule(day=_days, variant=_variants)
    def process_a_day(self, day: dt.date, variant: int) -> None:
        """A new day, a late one, or one that is restated."""
        self.deliver(day, variant)
        self.run_again(day)

    @rule(day=_days)
    def refuse_a_day(self, day: dt.date) -> None:
        self.workspace.deliver(CUSTOMERS, BROKEN.encode(), day)
        self.history.delivered[day] = None
        self.run_again(day)

    @rule(day=_days, is_forced=st.booleans())
    def run_again(self, day: dt.date, is_forced: bool = False) -> None:
        self._run([day], ("--as-of", day.isoformat()), is_forced=is_forced)

    @rule(of=_ranges, is_forced=st.booleans())
    def backfill(self, of: tuple[dt.date, dt.date], is_forced: bool = False) -> None:
        self._run(self.history.within(*of), _range(of), is_forced=is_forced)

    @rule(day=_days, variant=_variants, kill_point=_kill_points)
    def kill_a_run_of_one_day(self, day: dt.date, variant: int, kill_point: KillPoint) -> None:
        self.deliver(day, variant)
        self._kill([day], ("--as-of", day.isoformat()), kill_point)

    @rule(of=_ranges, variant=_variants, kill_point=_kill_points)
    def kill_a_backfill(
        self, of: tuple[dt.date, dt.date], variant: int, kill_point: KillPoint
    ) -> None:
        self.deliver(of[1], variant)
        self._kill(self.history.within(*of), _range(of), kill_point)

    def _run(self, days: list[dt.date], arguments: tuple[str, ...], *, is_forced: bool) -> None:
        before = self._written()
        expected = self._expected_code(days)
        ended = self._lending_club("run", *arguments, *(["--force"] if is_forced else []))
        assert ended.code == expected, ended.text
        days = [day for day in days if day in self.history.delivered]
        accepted = [day for day in days if self.history.delivered[day] is not None]
        if not is_forced and self.history.is_certain(accepted):
            assert self._written() == before, "nothing had changed, but outputs were written"
        self.history.processed(days, is_forced=is_forced)

    def _expected_code(self, days: list[dt.date]) -> int:
        is_refused = not days or any(self.history.delivered.get(day) is None for day in days)
        return 3 if is_refused else 0

    def _kill(self, days: list[dt.date], arguments: tuple[str, ...], kill_point: KillPoint) -> None:
        ended = self._lending_club("run", *arguments, kill_point=kill_point)
        if ended.is_killed:
            self.history.killed(days)
            return
        assert ended.code == self._expected_code(days), ended.text
        self.history.processed(days, is_forced=False)

    def _lending_club(self, *arguments: str, kill_point: KillPoint | None = None) -> Ended:
        return run_and_kill(self.workspace, arguments, kill_point)

    def _written(self) -> dict[str, int]:
        return {path.name: path.stat().st_mtime_ns for path in self.workspace.outputs.glob("*")}

    @invariant()
    def the_pipeline_is_as_the_model_says(self) -> None:
        assert list(differences(self.history, self.workspace)) == []


def _range(of: tuple[dt.date, dt.date]) -> tuple[str, ...]:
    return "--from", of[0].isoformat(), "--to", of[1].isoformat()


def check_histories(dbt_cache: Path, examples: int) -> None:
    """Try some histories, always the same ones.

    Raises:
        AssertionError: the pipeline's state was none that the model allows.
    """
    Histories.prepared_dbt = dbt_cache
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=examples,
            stateful_step_count=7,
            deadline=None,
            derandomize=True,
            database=None,
            # Each step costs seconds: a failure is told as it was found.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
