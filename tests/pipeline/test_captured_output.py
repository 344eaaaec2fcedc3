"""What a run prints is kept in Dagster's history and shown, whoever watches."""

import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest

from lending_club_pipeline.defs.instance import prepare_home
from tests.workspaces import Workspace

# Prints by Python and past it, as libraries in C do, with the last line at the very end.
_RUN = """
import os, sys
import dagster as dg

@dg.asset
def talkative():
    print("said by Python")
    sys.stderr.write("complained by Python\\n")
    os.write(2, b"complained by a library\\n")
    os.write(1, b"said last")

with dg.DagsterInstance.from_config(sys.argv[1]) as instance:
    result = dg.Definitions(assets=[talkative]).resolve_implicit_global_asset_job_def()
    sys.exit(0 if result.execute_in_process(instance=instance).success else 1)
"""


def start(home: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", _RUN, str(prepare_home(home))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def kept(home: Path) -> tuple[bytes, bytes]:
    with dg.DagsterInstance.from_config(str(home)) as instance:
        (run,) = instance.get_runs()
        (record,) = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.LOGS_CAPTURED)
        file_key = record.get_dagster_event().logs_captured_data.file_key
        logs = instance.compute_log_manager
        key = logs.build_log_key_for_run(run.run_id, file_key)
        assert logs.is_capture_complete(key)
        data = logs.get_log_data(key)
    return data.stdout or b"", data.stderr or b""


def test_what_a_run_prints_is_shown_to_the_last_line_and_kept(tmp_path: Path) -> None:
    run = start(tmp_path / "home")
    shown, complained = run.communicate(timeout=60)

    assert run.returncode == 0, complained
    assert shown == b"said by Python\nsaid last"
    assert b"complained by Python\ncomplained by a library\n" in complained
    said, grumbled = kept(tmp_path / "home")
    assert said == shown
    assert b"complained by Python\ncomplained by a library\n" in grumbled


def test_a_reader_that_went_away_stops_no_run_and_loses_nothing(tmp_path: Path) -> None:
    run = start(tmp_path / "home")
    assert run.stdout is not None
    run.stdout.close()
    assert run.stderr is not None
    complained = run.stderr.read()

    assert run.wait(timeout=60) == 0, complained
    assert kept(tmp_path / "home")[0] == b"said by Python\nsaid last"


@pytest.mark.exhaustive
def test_progress_moves_on_a_terminal_while_a_run_lasts(workspace: Workspace) -> None:
    workspace.deliver("1,Ada,yes\n", "A1,1,5,Savings\n")
    screen, terminal = pty.openpty()
    run = subprocess.Popen(
        [sys.executable, "-m", "lending_club_pipeline", "run"],
        cwd=workspace.root,
        env={**os.environ, **workspace.environment(), "TERM": "xterm"},
        stdout=subprocess.DEVNULL,
        stderr=terminal,
    )
    os.close(terminal)
    seen = _read_until_closed(screen)

    assert run.wait(timeout=60) == 0, seen
    # Lines that are shown for less than a quarter of a second may not be drawn.
    assert b"dbt " in seen
    assert seen.index(b"Starting") < seen.index(b"dbt ")


def _read_until_closed(screen: int) -> bytes:
    seen = b""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            read = os.read(screen, 65536)
        except OSError:
            # Linux says so when the other side has closed the terminal.
            return seen
        if not read:
            return seen
        seen += read
    raise AssertionError(f"The run did not end: {seen!r}")
