"""Where the time of a run goes: what its process tree took up to each line that it prints."""

import os
import re
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

# What is over when its line is printed; all other lines say what begins.
_ENDED: Final = re.compile(r"dbt (\S+): \w+ \(")
_START: Final = "settings, plan"
_TESTS: Final = "tests"
_BETWEEN: Final = "Dagster's records"
# What begins with lines that name a date, a folder or a count.
_BEGUN: Final = {
    "The delivery of": "import Dagster, open its history",
    "Delivery of": "Dagster's steps",
    "dbt built": _BETWEEN,
}
# A step that takes less is no line of a table.
_SMALL_SHARE: Final = 0.01
# Numbers of cores for which the wall time is computed.
MORE_CORES: Final = (8, 16)


@dataclass(frozen=True)
class Spent:
    """What a step took.

    Attributes:
        cpu: seconds of all cores.
        wall: seconds on the clock.
    """

    cpu: float = 0.0
    wall: float = 0.0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.cpu + other.cpu, self.wall + other.wall)

    def __sub__(self, other: "Spent") -> "Spent":
        return Spent(self.cpu - other.cpu, self.wall - other.wall)

    def wall_on(self, cores: int, measured_on: int) -> float:
        """Return the wall time that it would take on more cores, by Amdahl's law.

        What used more than one core is taken to use all of them; the rest, and waiting for the
        disk, stays as it is (https://en.wikipedia.org/wiki/Amdahl%27s_law).
        """
        above_one = max(0.0, self.cpu - self.wall)
        parallel = min(self.cpu, above_one * measured_on / max(1, measured_on - 1))
        return self.wall - parallel / measured_on + parallel / cores


def profile(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    models: frozenset[str],
) -> dict[str, Spent]:
    """Run a command of the pipeline and return what each of its steps took.

    A step ends with the next line that the run prints; what of it other threads still do then is
    counted to the next one. The first model is given what dbt takes to start.

    Args:
        command: the command.
        environment: variables that are set for it.
        folder: where it runs.
        models: names of models and seeds; any other node of dbt is a test.

    Raises:
        RuntimeError: it failed; the text holds what it printed.
    """
    steps: dict[str, Spent] = {}
    printed: list[str] = []
    begun = time.monotonic()
    with subprocess.Popen(
        command,
        env={**os.environ, **environment, "PYTHONUNBUFFERED": "1"},
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        tree = _Tree(process.pid)
        current, before = _START, Spent()
        for line in process.stderr or ():
            printed.append(line)
            now = Spent(tree.cpu(), time.monotonic() - begun)
            ended = _ENDED.match(line)
            step = _ended(ended.group(1), models) if ended else current
            steps[step] = steps.get(step, Spent()) + (now - before)
            current, before = _BETWEEN if ended else _begun(line.strip()), now
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {printed}")
    end = Spent(usage.ru_utime + usage.ru_stime, time.monotonic() - begun)
    steps[current] = steps.get(current, Spent()) + (end - before)
    return steps


def _ended(node: str, models: frozenset[str]) -> str:
    return node if node in models else _TESTS


def _begun(line: str) -> str:
    return next((step for words, step in _BEGUN.items() if line.startswith(words)), line)


class _Tree:
    """CPU seconds of a process and its children, those that have ended included."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)

    def cpu(self) -> float:
        """Return them."""
        own = self._root.cpu_times()
        total = own.user + own.system + own.children_user + own.children_system
        for child in self._root.children(recursive=True):
            # It may end in between; then its parent has its seconds the next time.
            with suppress(psutil.NoSuchProcess):
                times = child.cpu_times()
                total += times.user + times.system
        return total


def tabulated(steps: Mapping[str, Spent]) -> list[tuple[str, Spent]]:
    """Return the steps, those that hardly count as one, the dearest first."""
    total = sum((it.cpu for it in steps.values()), 0.0)
    large = {name: it for name, it in steps.items() if it.cpu >= total * _SMALL_SHARE}
    rest = sum((it for name, it in steps.items() if name not in large), Spent())
    return [*sorted(large.items(), key=lambda it: -it[1].cpu), ("all other steps", rest)]


def listed(steps: Iterable[tuple[str, Spent]], cores: int) -> list[str]:
    """Return a Markdown table of steps, with what they would take on more cores.

    Args:
        steps: as from `tabulated`.
        cores: on which they were measured.
    """
    rows = [(name, it.cpu, *_walls([it], cores)) for name, it in steps]
    whole = [it for _, it in steps]
    rows.append(("**all**", sum(it.cpu for it in whole), *_walls(whole, cores)))
    title = " | ".join(["step", "CPU s", "wall s", *(f"on {it} cores" for it in MORE_CORES)])
    return [
        f"| {title} |",
        "|" + "---|" * (3 + len(MORE_CORES)),
        *(f"| {name} | {' | '.join(f'{it:.2f}' for it in numbers)} |" for name, *numbers in rows),
    ]


def _walls(steps: Sequence[Spent], measured_on: int) -> list[float]:
    """Return the wall time of steps one after the other: as measured, and on more cores."""
    on_more = (sum(it.wall_on(cores, measured_on) for it in steps) for cores in MORE_CORES)
    return [sum(it.wall for it in steps), *on_more]
