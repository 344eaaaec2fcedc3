"""`lending-club` in a process of its own that can be killed at a change of the file system."""

import os
import signal
import sys
from typing import Any, Final

from tests.commands import Command, become

CHANGE: Final = "change"
_CHANGES: Final = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree"})


def become_watched(command: Command, kill_at_change: int) -> None:
    """Become `lending-club`, and say what changes below the folder that it works in.

    Args:
        command: what to run.
        kill_at_change: number of the change before which the process ends by SIGKILL; 0 for none.
    """
    output = os.open(command.output, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    # Dagster lets standard error flow elsewhere during a step; what is said here must not wait.
    sys.addaudithook(_Watch(str(command.folder), output, kill_at_change).on_event)
    become(command)


class _Watch:
    """Counts what Python renames, removes and makes, and says so."""

    def __init__(self, root: str, output: int, kill_at: int) -> None:
        self._root = root
        self._output = output
        self._kill_at = kill_at
        self._count = 0

    def on_event(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _CHANGES or not isinstance(arguments[0], str | os.PathLike):
            return
        path = os.fspath(arguments[0])
        if not path.startswith(self._root):
            return
        self._count += 1
        line = f"{CHANGE} {self._count}: {event} {path.removeprefix(self._root)}\n"
        os.write(self._output, line.encode())
        if self._count == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
