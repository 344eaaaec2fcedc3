"""`lending-club` in a process of its own that can be killed at a change of the file system."""

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

# What a new process has imported before it begins: a run is then over in half the time.
PRELOADED: Final = (
    "dbt.adapters.duckdb",
    "dbt.cli.main",
    "lending_club_pipeline.cli",
    "lending_club_pipeline.defs.automation.backfills",
    "lending_club_pipeline.explanations.telling",
)
CHANGE: Final = "change"
_CHANGES: Final = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree"})


@dataclass(frozen=True)
class Command:
    """What to run, where, and where its output goes.

    Attributes:
        arguments: those of `lending-club`.
        environment: the whole environment.
        root: folder to work in; changes of the file system below it count.
        output: file that gets both streams.
        kill_at_change: number of the change before which the process ends by SIGKILL; 0 for none.
    """

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    root: Path
    output: Path
    kill_at_change: int = 0


def run_command(command: Command) -> None:
    """Become `lending-club` with these arguments; does not return."""
    os.chdir(command.root)
    os.environ.clear()
    os.environ.update(command.environment)
    output = os.open(command.output, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.argv = ["lending-club", *command.arguments]
    # Dagster lets standard error flow elsewhere during a step; what is said here must not wait.
    watch = _Watch(command.root, os.dup(output), command.kill_at_change)
    sys.addaudithook(watch.on_event)

    from lending_club_pipeline.cli import main  # noqa: PLC0415 - it is preloaded

    main()


class _Watch:
    """Counts what Python renames, removes and makes, and says so."""

    def __init__(self, root: Path, output: int, kill_at: int) -> None:
        self._root = str(root)
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
