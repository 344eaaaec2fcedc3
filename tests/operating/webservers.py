"""Dagster's own services on loopback, as a person or the gateway has them."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.operating.programs import answers, free_port, started
from tests.workspaces import Workspace

MODULE: Final = "lending_club_pipeline.definitions"


@contextmanager
def webserver(space: Workspace, *arguments: str) -> Iterator[str]:
    """Serve Dagster's pages, and give their address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "dagster_webserver", "-m", MODULE, "-p", str(port), *arguments]
    log, ready = space.root / f"webserver-{port}.log", answers(f"{url}/server_info")
    with started(command, ready, log, 240, space.environment()):
        yield url


@contextmanager
def daemon(space: Workspace) -> Iterator["subprocess.Popen[bytes]"]:
    """Carry out what is queued, and look as sensors do."""
    command = [sys.executable, "-m", "dagster._daemon", "run", "-m", MODULE]
    log = space.root / "daemon.log"
    with started(command, lambda: True, log, 240, space.environment()) as process:
        yield process
