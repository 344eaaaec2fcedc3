"""`lending-club ui`: Dagster's pages until it is told to end."""

import os
import socket
import subprocess
import sys
import time
import urllib.request

import psutil
import pytest

from tests.workspaces import Workspace, copy_history


def test_ui_serves_dagster_until_it_is_told_to_end_and_leaves_nothing_running(
    processed_workspace: Workspace,
    good_run: Workspace,
) -> None:
    workspace = processed_workspace
    copy_history(good_run.root / "dagster", workspace.root / "dagster")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    said = workspace.root / "ui.txt"
    command = [sys.executable, "-m", "lending_club_pipeline", "ui", "--port", str(port)]
    with said.open("wb") as errors:
        # Deaf to interrupts, as a shell starts what runs in the background.
        process = subprocess.Popen(
            ["sh", "-c", "trap '' INT; exec \"$@\"", "sh", *command],
            env={**os.environ, **workspace.environment()},
            cwd=workspace.root,
            stdout=errors,
            stderr=errors,
        )
    try:
        query = b'{"query": "{ runsOrError { ... on Runs { results { jobName status } } } }"}'
        answer = _answer(f"http://127.0.0.1:{port}/graphql", query)
        started = psutil.Process(process.pid).children(recursive=True)
    finally:
        process.terminate()
        code = process.wait(timeout=60)

    assert '"jobName":"process_delivery","status":"SUCCESS"' in answer.replace(" ", "")
    assert code == 0
    assert len(started) >= 4
    assert [it for it in started if _runs(it)] == []
    assert "Warning" not in said.read_text()
    assert "Traceback" not in said.read_text()
    assert said.read_text().endswith("Dagster has ended.\n"), said.read_text()


def test_ui_starts_nothing_on_a_port_that_is_taken(workspace: Workspace) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        result = workspace.command("ui", "--port", str(port))

    assert result.returncode == 1
    assert result.stderr == (
        f"Error: Port {port} of 127.0.0.1 is taken by another process. "
        "Name another one by --port, or end that process.\n"
    )
    assert not (workspace.settings().dagster.home / "dagster.yaml").exists()


@pytest.mark.parametrize("port", ["0", "65536", "-1"])
def test_ui_on_a_port_that_there_is_not_is_wrong_usage(workspace: Workspace, port: str) -> None:
    result = workspace.command("ui", "--port", port)

    assert result.returncode == 2
    assert f"{port} is not in the range 1<=x<=65535." in result.stderr


def _runs(process: psutil.Process) -> bool:
    try:
        # One that has ended stays in the list until the first process of the machine takes note.
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _answer(url: str, query: bytes, seconds: float = 90) -> str:
    deadline = time.monotonic() + seconds
    while True:
        try:
            request = urllib.request.Request(url, query, {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.read().decode()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
