"""Where the CPU of a run goes: what its process tree took up to each line that it prints."""

import os
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
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


def profile(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    models: frozenset[str],
) -> dict[str, float]:
    """Run a command of the pipeline and return the CPU seconds of each of its steps.

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
    steps: dict[str, float] = {}
    printed: list[str] = []
    with subprocess.Popen(
        command,
        env={**os.environ, **environment, "PYTHONUNBUFFERED": "1"},
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        tree = _Tree(process.pid)
        current, before = _START, 0.0
        for line in process.stderr or ():
            printed.append(line)
            now = tree.cpu()
            ended = _ENDED.match(line)
            step = _ended(ended.group(1), models) if ended else current
            steps[step] = steps.get(step, 0.0) + now - before
            current, before = _BETWEEN if ended else _begun(line.strip()), now
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {printed}")
    steps[current] = steps.get(current, 0.0) + usage.ru_utime + usage.ru_stime - before
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


def tabulated(steps: Mapping[str, float]) -> list[tuple[str, float]]:
    """Return the steps, those that hardly count as one, the dearest first."""
    total = sum(steps.values())
    large = {it: seconds for it, seconds in steps.items() if seconds >= total * _SMALL_SHARE}
    rest = total - sum(large.values())
    return [*sorted(large.items(), key=lambda it: -it[1]), ("all other steps", rest)]


def named(steps: Iterable[tuple[str, float]]) -> list[str]:
    """Return the rows of a Markdown table."""
    return [f"| {step} | {seconds:.2f} |" for step, seconds in steps]
