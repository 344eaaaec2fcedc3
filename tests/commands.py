"""`lending-club` in processes of their own, forked from one that has imported all that a run needs.

But for the imports, which take a third of a run's time, it is the command as people call it.
"""

import logging
import multiprocessing
import multiprocessing.util
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_PRELOADED: Final = (
    "dbt.adapters.duckdb",
    "dbt.cli.main",
    "lending_club_pipeline.cli",
    "lending_club_pipeline.defs.execution",
    "lending_club_pipeline.present.account_traces",
)

_POLL_SECONDS: Final = 0.005

# Where the socket goes over which it is asked to fork, before a test has temporary files go
# elsewhere: the path of a socket has to be short.
multiprocessing.util.get_temp_dir()
PROCESSES: Final = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(list(_PRELOADED))


@dataclass(frozen=True)
class Command:
    """What to run, where, and where its output goes.

    Attributes:
        arguments: those of `lending-club`.
        environment: the whole environment.
        folder: to work in.
        output: file that gets what it says.
        errors: file that gets standard error; the same one by default.
    """

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    output: Path
    errors: Path | None = None


def prepare(command: Command) -> None:
    """Give this process the folder, the environment and the streams of a command."""
    os.chdir(command.folder)
    os.environ.clear()
    os.environ.update(command.environment)
    # What imports have left in the process that this one is forked from.
    tempfile.tempdir = None
    logging.root.handlers.clear()
    output = _opened(command.output)
    os.dup2(output, 1)
    os.dup2(output if command.errors is None else _opened(command.errors), 2)
    sys.argv = ["lending-club", *command.arguments]


def _opened(file: Path) -> int:
    return os.open(file, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_APPEND, 0o600)


def become(command: Command, gate: Any = None) -> None:
    """Become `lending-club` with these arguments, once the gate opens; does not return."""
    if gate is not None:
        gate.wait()
    prepare(command)
    from lending_club_pipeline.cli import main  # noqa: PLC0415 - it is preloaded

    main()


@dataclass(frozen=True)
class LockWait:
    """A process that becomes a command as soon as it may."""

    command: Command
    _process: Any
    _gate: Any

    @property
    def pid(self) -> int:
        """Its number."""
        return int(self._process.pid)

    def begin(self) -> None:
        """Let it become the command."""
        self._gate.set()

    def wait_for(self, moment: str, timeout: float) -> None:
        """Return when a line of standard error begins with a text.

        Raises:
            AssertionError: it ended before, or none came in this time, in seconds.
        """
        deadline = time.monotonic() + timeout
        while True:
            # Asked first: what it says before it ends counts.
            is_alive, said = self._process.is_alive(), self._said(self.command.errors)
            if f"\n{moment}" in f"\n{said}":
                return
            assert is_alive, f"it ended before {moment!r}:\n{said}"
            assert time.monotonic() < deadline, f"{moment!r} did not come in {timeout} s:\n{said}"
            time.sleep(_POLL_SECONDS)

    def stop(self, sent: signal.Signals) -> None:
        """Send it a signal, if it has not ended by now."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, sent)

    def ended(self, timeout: float) -> "subprocess.CompletedProcess[str]":
        """Return how it ended.

        Raises:
            TimeoutExpired: it took longer than this, in seconds; it is killed.
        """
        self._process.join(timeout)
        code, arguments = self._process.exitcode, list(self.command.arguments)
        if code is None:
            raise subprocess.TimeoutExpired(arguments, timeout, self._said(self.command.errors))
        output, errors = self._said(self.command.output), self._said(self.command.errors)
        return subprocess.CompletedProcess(arguments, code, output, errors)

    def run(self, timeout: float) -> "subprocess.CompletedProcess[str]":
        """Let it become the command, and return how it ended; see `ended`."""
        self.begin()
        return self.ended(timeout)

    def _said(self, file: Path | None) -> str:
        return file.read_text(errors="replace") if file is not None and file.exists() else ""


@contextmanager
def waiting(
    arguments: tuple[str, ...], environment: Mapping[str, str], folder: Path
) -> Iterator[LockWait]:
    """Give a process that waits to become a command, and that does not outlive this context."""
    with tempfile.TemporaryDirectory(prefix="command-") as kept:
        streams = Path(kept) / "output", Path(kept) / "errors"
        command = Command(arguments, environment, folder, *streams)
        gate = PROCESSES.Event()
        process = PROCESSES.Process(target=become, args=(command, gate))
        process.start()
        try:
            yield LockWait(command, process, gate)
        finally:
            process.kill()
            process.join()


def run(
    arguments: tuple[str, ...],
    environment: Mapping[str, str],
    folder: Path,
    timeout: float = 300,
) -> "subprocess.CompletedProcess[str]":
    """Run `lending-club`; see `subprocess.run` for what is returned and raised."""
    with waiting(arguments, environment, folder) as process:
        return process.run(timeout)
