"""Programs of other projects that tests start on loopback, and stop."""

import os
import shutil
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import pytest

_BUILT = Path.home() / ".cache" / "lending-club-test" / "bin"
DEPLOY = Path(__file__).parents[2] / "deploy"


def program(*names: str) -> str:
    """Return the path of a program by one of its names, or skip the test and say why."""
    # Debian keeps servers where only root looks; the last has what `go install` built for tests.
    path = ":".join(("/usr/local/bin", "/usr/bin", "/usr/local/sbin", "/usr/sbin", str(_BUILT)))
    for name in names:
        found = shutil.which(name) or shutil.which(name, path=path)
        if found:
            return found
    pytest.skip(f"{names[0]} is not installed: see .ci/run for the package")


def free_port() -> int:
    """Return a port of loopback that nobody listens on now."""
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


def answers(url: str) -> Callable[[], bool]:
    """Return whether a web address answers, as a condition to wait for."""

    def does() -> bool:
        try:
            # Some have a certificate that a test made.
            with urllib.request.urlopen(url, timeout=5, context=_unchecked()):
                return True
        except urllib.error.HTTPError as error:
            # It answers, and is not ready.
            return error.code != HTTPStatus.SERVICE_UNAVAILABLE
        except OSError:
            return False

    return does


def _unchecked() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def wait_for(
    condition: Callable[[], object], seconds: float, what: str, pause: float = 0.1
) -> None:
    """Return when a condition holds; ask again after a pause, in seconds.

    Raises:
        AssertionError: it did not within these seconds.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(pause)


@contextmanager
def started(
    command: Sequence[str],
    is_ready: Callable[[], bool],
    log: Path,
    seconds: float = 60,
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program, wait until it is ready, and stop it in the end."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=log.parent,
            env={**os.environ, **(environment or {})},
        )
    try:
        deadline = time.monotonic() + seconds
        while not is_ready():
            said = log.read_text(errors="replace")[-3000:]
            assert process.poll() is None, f"{command[0]} ended: {said}"
            assert time.monotonic() < deadline, f"{command[0]} is not ready: {said}"
            time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
