"""Other processes of this machine, and the signals of this process."""

import hashlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path


def is_running(pid: int) -> bool:
    """Return whether a process of that number exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def this_machine() -> str:
    """Return a text that is equal only for processes that see each other's process numbers."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        # Names and process numbers of containers may repeat.
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(parts)


def process_label() -> str:
    """Return a text for the names of files that no other process has, on this machine or another.

    Containers that share a folder have the same process numbers, so it also names the machine.
    """
    return f"{_machine_label()}-{os.getpid()}"


def has_ended(label: str) -> bool:
    """Return whether the process of a label of this machine has ended; unknown for others."""
    machine, _, pid = label.partition("-")
    return machine == _machine_label() and pid.isdecimal() and not is_running(int(pid))


def _machine_label() -> str:
    return hashlib.sha256(this_machine().encode()).hexdigest()[:12]


@contextmanager
def raising_keyboard_interrupts() -> Iterator[None]:
    """Let SIGINT and SIGTERM raise `KeyboardInterrupt` while the body runs.

    Dagster lets them raise an error of its own, which other libraries do not clean up after.
    Signals that are ignored stay ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread may choose what signals do.
        yield
        return
    found = {it: signal.getsignal(it) for it in (signal.SIGINT, signal.SIGTERM)}
    # None: another program set it, and Python could not set it again.
    before = {it: to for it, to in found.items() if to not in {None, signal.SIG_IGN}}
    for number in before:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def noticing_signals() -> Iterator[Callable[[], set[int]]]:
    """Yield a function that returns the signals since then, even if libraries handle them.

    Libraries replace the handlers while they work, and turn an interrupt into their own errors.
    They do not replace the file descriptor to which Python writes each handled signal.
    """
    reader, writer = socket.socketpair()
    with closing(reader), closing(writer):
        for end in (reader, writer):
            end.setblocking(False)
        if threading.current_thread() is not threading.main_thread():
            # Signals are handled in the main thread, and only there can they be noticed.
            yield set
            return
        before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        try:
            yield lambda: _received(reader)
        finally:
            signal.set_wakeup_fd(before)


def _received(reader: socket.socket) -> set[int]:
    try:
        return set(reader.recv(4096))
    except BlockingIOError:
        return set()
