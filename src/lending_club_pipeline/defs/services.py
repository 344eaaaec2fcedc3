"""Dagster's web page, daemon and code server: started together, and ended together."""

import errno
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Final

from lending_club_pipeline.contract.errors import ServiceError
from lending_club_pipeline.files.plain_paths import plain_folder

# Dagster recommends another tool to developers; users of the page do not need it.
_NOT_SHOWN: Final = "ignore:Function `dev_command` is superseded"
_ASKED_SECONDS: Final = 6.0
_TOLD_SECONDS: Final = 3.0
_POLL_SECONDS: Final = 0.1


def expect_free(host: str, port: int) -> None:
    """Check that a web page can be served at an address.

    Raises:
        ServiceError: the port is taken or may not be used, or this machine has no such address.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as tried:
            # Like the web server, ignore connections of a server that has ended.
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(address)
            tried.listen()
    except socket.gaierror as error:
        raise ServiceError(
            f"{host} is not an address of this machine. Name another --host."
        ) from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ServiceError(
                f"Port {port} of {host} is taken by another process. "
                "Name another one by --port, or end that process."
            ) from error
        raise ServiceError(
            f"Port {port} of {host} cannot be used: {error.strerror}. "
            "Name another one by --port, from 1024 on, or another --host."
        ) from error


def serve(host: str, port: int, home: Path, module: str) -> None:
    """Serve Dagster until this process is interrupted, and leave no process behind.

    Args:
        host: address to listen on.
        port: port of the web page.
        home: folder of Dagster's run history.
        module: holds the definitions.

    Raises:
        KeyboardInterrupt: this process was told to end; Dagster has ended.
        ServiceError: Dagster ended by itself, or is served already with this run history.
    """
    address = ["-h", host, "-p", str(port)]
    dagster = [sys.executable, "-P", "-W", _NOT_SHOWN, "-m", "dagster"]
    with _only_one(home, f"http://{host}:{port}") as lock:
        process = _started([*dagster, "dev", "-m", module, *address], home, lock)
        is_ending = Event()
        reader = Thread(target=_pass_on, args=(process.stdout, is_ending), daemon=True)
        reader.start()
        try:
            process.wait()
            reader.join(_POLL_SECONDS)
        finally:
            is_ending.set()
            _end(process)
    raise ServiceError("Dagster has ended by itself; see its messages above.")


@contextmanager
def _only_one(home: Path, address: str) -> Iterator[int]:
    """Prevent a second Dagster with the same run history: two daemons would launch runs twice.

    Dagster's process inherits the lock, which stays held if only this process is killed.
    """
    with (home / "services.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise ServiceError(
                f"{home}: Dagster is served already with this run history"
                f"{lock.read().strip()}. Open that page, end it first, or name another folder by "
                "DAGSTER_HOME."
            ) from None
        lock.truncate(0)
        lock.write(f", on {address} by process {os.getpid()}\n")
        lock.flush()
        yield lock.fileno()


def _started(command: Sequence[str], home: Path, lock: int) -> subprocess.Popen[bytes]:
    # A closed terminal ends Dagster as well, unless `nohup` is used.
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    # A shell starts background processes with interrupts ignored. Dagster would then ignore
    # SIGTERM, too, which it handles as an interrupt.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        # In a new session, so that Ctrl+C reaches only this process, which ends the others in
        # order.
        return subprocess.Popen(
            command,
            env={**os.environ, "DAGSTER_HOME": str(plain_folder(home))},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(lock,),
        )
    finally:
        signal.signal(signal.SIGINT, before)


def _pass_on(said: Iterable[bytes], is_ending: Event) -> None:
    """Show Dagster's output, but not the messages of its processes when they are interrupted."""
    for line in said:
        if not is_ending.is_set():
            os.write(sys.stderr.fileno(), line)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End Dagster: SIGTERM to its main process, then to all its processes, then SIGKILL."""
    send = partial(_signal_all, process.pid)
    try:
        process.terminate()
        if not _is_over(process, _ASKED_SECONDS):
            # A run that is under way ends as interrupted.
            send(signal.SIGTERM)
            _is_over(process, _TOLD_SECONDS)
    finally:
        send(signal.SIGKILL)
        process.wait()


def _signal_all(group: int, sent: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, sent)


def _is_over(process: subprocess.Popen[bytes], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        process.poll()
        try:
            os.killpg(process.pid, 0)
        except (ProcessLookupError, PermissionError):
            return True
        time.sleep(_POLL_SECONDS)
    return False
