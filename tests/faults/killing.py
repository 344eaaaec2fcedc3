"""Runs that are killed at random moments, and what must be true after each.

A `KillHarness` prepares one scenario: a state before, a command, and the result of that command if
nobody disturbs it. Then it kills the command as often as one likes, always from the same state
before.
"""

import datetime as dt
import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import duckdb

from tests.faults.killed_run import CHANGE
from tests.faults.processes import Ended, KillPoint, run_and_kill
from tests.workspaces import Workspace

TABLES: Final = (
    "account_summary",
    "account_summary_by_tier",
    "account_summary_daily",
    "delivery_ledger",
    "quarantined_records",
)
# Lines come in bursts: a kill by time comes this much later at most, or within the longer step.
_AT_LEAST_SECONDS: Final = 0.02

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class State:
    """What readers can see: the bytes of the outputs, and the rows of the tables by date."""

    outputs: Mapping[str, bytes]
    tables: Mapping[str, Mapping[dt.date | None, Rows]]


@dataclass(frozen=True)
class Scenario:
    """What is killed.

    Attributes:
        name: in words.
        before: delivers and processes what is there already.
        change: delivers what the command is to process.
        arguments: the command.
        account: an account to ask about afterwards.
        stages: commands that do its first part alone, where it consists of several runs: each of
            them publishes.
    """

    name: str
    before: Callable[["KillHarness"], None]
    change: Callable[[Workspace], None]
    arguments: tuple[str, ...]
    account: str
    stages: tuple[tuple[str, ...], ...] = ()


@dataclass
class Kill:
    """One kill and what was found after it; nothing if all is well."""

    scenario: str
    kill_point: KillPoint
    where: str
    new_files: int
    findings: list[str] = field(default_factory=list)


class KillHarness:
    """One scenario in a folder of its own.

    The database remembers where the landed files are: every attempt has the same path.
    """

    def __init__(self, scenario: Scenario, folder: Path, dbt_cache: Path | None = None) -> None:
        self.scenario = scenario
        self.workspace = Workspace(folder / "now")
        self._saved = folder / "before"
        if dbt_cache is not None:
            shutil.copytree(dbt_cache, self.workspace.settings().dbt_cache)
        scenario.before(self)
        self.old = self.state()
        scenario.change(self.workspace)
        shutil.copytree(self.workspace.root, self._saved)
        between = [self._state_after(stage) for stage in scenario.stages]
        self.reset()
        self.undisturbed = self.run(*scenario.arguments)
        assert self.undisturbed.code == 0, self.undisturbed.text
        self.new = self.state()
        self._states = (self.old, *between, self.new)

    def _state_after(self, stage: tuple[str, ...]) -> State:
        ended = self.run(*stage)
        assert ended.code == 0, ended.text
        return self.state()

    def run(self, *arguments: str, kill_point: KillPoint | None = None) -> Ended:
        """Run `lending-club` in a process of its own, and kill it if asked to."""
        return run_and_kill(self.workspace, arguments, kill_point)

    def reset(self) -> None:
        """Go back to the state before the command."""
        shutil.rmtree(self.workspace.root)
        shutil.copytree(self._saved, self.workspace.root)

    def state(self) -> State:
        return State(self.workspace.output_bytes(), dict(_tables(self.workspace.database)))

    def kill_points(self, choose: random.Random) -> Iterator[KillPoint]:
        """Draw moments for ever: half by time, half by change; every folder and line alike."""
        lines, seconds = self.undisturbed.lines, self.undisturbed.seconds
        changes: dict[str, list[int]] = {}
        for number, line in enumerate((it for it in lines if it.startswith(CHANGE)), start=1):
            folder = line.partition(" /")[2].partition("/")[0]
            changes.setdefault(folder, []).append(number)
        said = [-1, *(at for at, line in enumerate(lines) if not line.startswith(CHANGE))]
        while True:
            if choose.random() < 0.5:
                yield KillPoint(change=choose.choice(choose.choice(list(changes.values()))))
                continue
            line = choose.choice(said)
            since = seconds[line] if line >= 0 else 0.0
            until = next((it for it in seconds[line + 1 :] if it > since), since)
            yield KillPoint(line, choose.random() * max(until - since, _AT_LEAST_SECONDS))

    def kill(self, kill_points: Iterator[KillPoint]) -> Kill:
        """Kill a run, look at what is left, run again; a run too fast to be killed is no kill."""
        for kill_point in kill_points:
            self.reset()
            ended = self.run(*self.scenario.arguments, kill_point=kill_point)
            if ended.is_killed:
                break
            assert ended.code == 0, ended.text
        kill = Kill(self.scenario.name, kill_point, ended.where, self._new_files())
        kill.findings += self._wrong_after_kill()
        kill.findings += self._wrong_after_next_run()
        return kill

    def _new_files(self) -> int:
        now = self.workspace.output_bytes()
        return sum(
            now.get(name) == content and self.old.outputs.get(name) != content
            for name, content in self.new.outputs.items()
        )

    def _wrong_after_kill(self) -> Iterator[str]:
        now = self.state()
        for name, content in now.outputs.items():
            whole = [state.outputs.get(name) for state in self._states]
            if not name.startswith((".", "tmp_.")) and content not in whole:
                yield f"{name} is neither the old file nor the new one"
        yield from (f"{name} is gone" for name in self.old.outputs if name not in now.outputs)
        for table, days in now.tables.items():
            whole_days = [state.tables.get(table, {}) for state in self._states]
            for date in {*days, *(it for state in whole_days for it in state)}:
                if days.get(date) not in [state.get(date) for state in whole_days]:
                    yield f"{table} of {date} is neither the old one nor the new one"
        yield from self._not_closed(now)
        yield from self._not_explained()

    def _not_closed(self, now: State) -> Iterator[str]:
        for date, lines in now.tables.get("delivery_ledger", {}).items():
            if not all(line[-1] for line in lines):
                yield f"the ledger of {date} does not close"

    def _not_explained(self) -> Iterator[str]:
        ended = self.run("explain", self.scenario.account)
        # Before the first run has come that far there is nothing to explain, and it says so.
        allowed = {0} if self.old.tables else {0, 1}
        if ended.code not in allowed or "Traceback" in ended.text:
            yield f"explain ended with {ended.code}: {ended.text[-300:]}"

    def _wrong_after_next_run(self) -> Iterator[str]:
        ended = self.run(*self.scenario.arguments)
        if ended.code != 0:
            yield f"the next run ended with {ended.code}: {ended.text[-500:]}"
            return
        now = self.state()
        if now.outputs != self.new.outputs:
            yield "the next run published other bytes than an undisturbed one"
        yield from (
            f"{table} is not that of an undisturbed run"
            for table in TABLES
            if now.tables[table] != self.new.tables[table]
        )
        for left in ("*.tmp", ".landing-*", ".replaced-*", ".*.new"):
            for path in self.workspace.root.rglob(left):
                yield f"{path.relative_to(self.workspace.root)} was left behind"
        again = self.run(*self.scenario.arguments)
        if again.code != 0 or (
            "nothing to do" not in again.text and " unchanged" not in again.text
        ):
            yield f"after the next run there was still something to do: {again.text[-300:]}"


def _tables(database: Path) -> Iterator[tuple[str, Mapping[dt.date | None, Rows]]]:
    """Read the tables that are there, by business date where they have one."""
    if not database.exists():
        return
    with duckdb.connect(str(database), read_only=True) as connection:
        there = {
            name
            for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()
        }
        for table in TABLES:
            if table not in there:
                continue
            result = connection.execute(f"from {table}")
            has_date = result.description[0][0] == "as_of_date"
            days: dict[dt.date | None, Rows] = {}
            for row in sorted(result.fetchall(), key=repr):
                days.setdefault(row[0] if has_date else None, []).append(row)
            yield table, days
