"""`lending-club` in processes of their own that are killed at a moment of one's choice."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.commands import PROCESSES, Command
from tests.faults.killed_run import CHANGE, become_watched
from tests.workspaces import Workspace

_LONGEST_SECONDS: Final = 600
_POLL_SECONDS: Final = 0.002


@contextmanager
def another_process(
    program: str, database: Path, says: str = "open"
) -> Iterator[subprocess.Popen[str]]:
    """A process of Python that has a database open, and says so, until its input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", program, str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{says}\n"
        try:
            yield process
        finally:
            process.communicate()


@dataclass(frozen=True)
class KillPoint:
    """When to kill: some time after a line of the output, or before a change of the file system.

    Attributes:
        line: number of the line, from 0; -1 is the start of the process.
        seconds: time to wait after it.
        change: number of the change instead, from 1.
    """

    line: int = -1
    seconds: float = 0.0
    change: int = 0


@dataclass(frozen=True)
class Ended:
    """How a process ended, with its exit code, its lines, and when each of them came."""

    code: int
    lines: tuple[str, ...]
    seconds: tuple[float, ...]

    @property
    def is_killed(self) -> bool:
        return self.code == -signal.SIGKILL

    @property
    def text(self) -> str:
        return "\n".join(line for line in self.lines if not line.startswith(CHANGE))

    @property
    def where(self) -> str:
        """The last thing that it said or did."""
        if not self.lines:
            return "the start of the process"
        last = self.lines[-1]
        return last.partition(": ")[2] if last.startswith(CHANGE) else last


def run_and_kill(
    workspace: Workspace,
    arguments: tuple[str, ...],
    kill_point: KillPoint | None = None,
    name: str = "output",
) -> Ended:
    """Run `lending-club` in a process of its own, and kill it if asked to.

    Several at the same time need a name each.
    """
    workspace.root.mkdir(parents=True, exist_ok=True)
    output = workspace.root.with_name(f"{workspace.root.name}.{name}.txt")
    output.write_bytes(b"")
    change = 0 if kill_point is None else kill_point.change
    if arguments[0] == "run":
        # Each step is a moment to be killed at.
        arguments = (*arguments, "--verbose")
    command = Command(arguments, workspace.environment(), workspace.root, output)
    process = PROCESSES.Process(target=become_watched, args=(command, change))
    process.start()
    try:
        seconds = _follow(process, output, kill_point)
    finally:
        process.kill()
        process.join()
    assert process.exitcode is not None
    return Ended(process.exitcode, tuple(_lines(output)), tuple(seconds))


def _follow(process: Any, output: Path, kill_point: KillPoint | None) -> list[float]:
    """Note when each line comes, and return when the process has ended or is to be killed."""
    started, seconds = time.monotonic(), list[float]()
    by_time = kill_point is not None and not kill_point.change
    kill_at = started + _LONGEST_SECONDS
    while process.is_alive():
        now = time.monotonic()
        seconds += [now - started] * (len(_lines(output)) - len(seconds))
        if by_time and kill_point is not None and len(seconds) > kill_point.line:
            kill_at, by_time = now + kill_point.seconds, False
        if now >= kill_at:
            return seconds
        time.sleep(_POLL_SECONDS)
    return seconds + [time.monotonic() - started] * (len(_lines(output)) - len(seconds))


def _lines(output: Path) -> list[str]:
    return output.read_text(errors="replace").splitlines()
