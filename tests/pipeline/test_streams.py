"""What a shell does with the standard streams changes neither what is done nor the exit code."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lending_club_pipeline.cli import streams
from tests.workspaces import Workspace

_COMMAND = f"{sys.executable} -m lending_club_pipeline"


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", line], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.parametrize("redirected", [">&-", ">/dev/full", "<&- >&-", "2>&- >&- <&-"])
def test_a_stream_that_is_closed_or_full_fails_nothing(redirected: str, tmp_path: Path) -> None:
    assert shell(f"{_COMMAND} --version {redirected}", tmp_path).returncode == 0
    assert shell(f"{_COMMAND} run --as-of never {redirected}", tmp_path).returncode == 2


def test_a_reader_that_ends_early_is_told_of_once(tmp_path: Path) -> None:
    ended = shell(f"{_COMMAND} --help | true; exit ${{PIPESTATUS[0]}}", tmp_path)

    assert ended.returncode == 0
    assert "Traceback" not in ended.stderr


def test_no_file_that_is_opened_later_becomes_a_closed_stream(tmp_path: Path) -> None:
    script = f"""
import os, {streams.__name__} as streams
streams.use_lenient_streams()
with open("kept", "w") as file:
    print("not for the file", flush=True)
    os.write(1, b"nor this")
    assert file.fileno() > 2
"""
    (tmp_path / "script.py").write_text(script)

    ended = shell(f"{sys.executable} script.py >&- 2>errors", tmp_path)

    assert (ended.returncode, (tmp_path / "errors").read_text()) == (0, "")
    assert (tmp_path / "kept").read_bytes() == b""


@pytest.mark.exhaustive
def test_a_run_publishes_and_succeeds_with_standard_output_closed(
    new_workspace: Callable[[str], Workspace],
) -> None:
    workspace = new_workspace("closed-output")
    workspace.deliver("1,Ada,Yes\n", "A,1,100.00,Savings\n")

    ended = subprocess.run(
        ["bash", "-c", f"{_COMMAND} run --as-of 2026-01-31 >&-"],
        cwd=workspace.root,
        env={**os.environ, **workspace.environment()},
        timeout=600,
        check=False,
    )

    assert ended.returncode == 0
    assert (workspace.outputs / "account_summary.csv").read_text().endswith("101.50\n")
