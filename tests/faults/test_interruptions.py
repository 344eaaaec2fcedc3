"""Runs that are stopped half-way, killed, or started twice: real processes, real signals."""

import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lending_club_pipeline.files import locks
from tests.commands import waiting
from tests.workspaces import Workspace

# Lines of the progress, in the order in which they come.
LANDING = "Splitting accounts.csv"
MODELS = "dbt base_accounts"
OUTPUTS = "Writing account_summary.csv"

SUMMARY = (
    "customer_id,account_id,original_balance,interest_rate,annual_interest,new_balance\n"
    "1,A1,300.00,0.0150,4.50,304.50\n"
)
# Only a run that hangs takes this long, on the busiest machine.
_LONGEST_SECONDS = 300


@contextmanager
def _started(workspace: Workspace) -> Iterator[subprocess.Popen[str]]:
    """Start a run of its own process, which does not outlive the test."""
    with workspace.started("run", "--verbose") as process:
        watchdog = threading.Timer(_LONGEST_SECONDS, process.kill)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()


def _wait_for(process: subprocess.Popen[str], moment: str) -> None:
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        if line.startswith(moment):
            return
    pytest.fail(
        f"the run ended with {process.wait()} before a line began with {moment!r}:\n{''.join(seen)}"
    )


def _stopped(workspace: Workspace, moment: str, sent: signal.Signals) -> tuple[int, str]:
    """Start a run, stop it at a moment, and return its exit code and what it said."""
    with waiting(("run", "--verbose"), workspace.environment(), workspace.root) as process:
        process.begin()
        process.wait_for(moment, _LONGEST_SECONDS)
        process.stop(sent)
        ended = process.ended(_LONGEST_SECONDS)
    return ended.returncode, ended.stderr


def _run_again(workspace: Workspace) -> None:
    """Run in a process that can be ended if it waits for what the stopped run left behind."""
    ended = workspace.command("run", timeout=_LONGEST_SECONDS)
    assert ended.returncode == 0, ended.stderr


def _assert_clean(workspace: Workspace) -> None:
    """The outputs are those of the changed delivery, and nothing else is left."""
    assert (workspace.outputs / "account_summary.csv").read_text() == SUMMARY
    names = {path.name for path in (workspace.root / "landing").iterdir()}
    assert names == {"as_of_date=2026-01-31"}
    left = [path.name for path in workspace.root.rglob("*.tmp")]
    assert left == []


@pytest.mark.parametrize(
    ("sent", "code", "moments"),
    [
        pytest.param(
            *(signal.SIGINT, 130, (LANDING, MODELS)),
            id="interrupted",
            marks=pytest.mark.exhaustive,
        ),
        pytest.param(signal.SIGKILL, -signal.SIGKILL, (MODELS,), id="killed"),
    ],
)
def test_a_run_that_is_stopped_changes_nothing_and_the_next_one_needs_no_help(
    after_good_run: Workspace, sent: signal.Signals, code: int, moments: tuple[str, ...]
) -> None:
    before = after_good_run.output_bytes()

    for moment in moments:
        ended, errors = _stopped(after_good_run, moment, sent)
        assert ended == code, errors
        assert "Traceback" not in errors
        assert after_good_run.output_bytes() == before
        if sent == signal.SIGINT:
            assert errors.endswith("Interrupted. Run again: nothing has to be cleaned up.\n")

    # So late that the run may be faster than the signal: files are old or new, and whole.
    ended, errors = _stopped(after_good_run, OUTPUTS, sent)
    published = {name: (after_good_run.outputs / name).read_bytes() for name in before}
    assert ended in {code, 0}, errors

    _run_again(after_good_run)
    _assert_clean(after_good_run)
    after = after_good_run.output_bytes()
    for name, content in published.items():
        assert content in {before[name], after[name]}, name


@pytest.mark.exhaustive
def test_a_run_that_is_told_to_stop_says_so_and_the_next_one_needs_no_help(
    after_good_run: Workspace,
) -> None:
    before = after_good_run.output_bytes()

    for sent in (signal.SIGTERM, signal.SIGINT):
        ended, errors = _stopped(after_good_run, MODELS, sent)
        assert ended == 130, errors
        assert "Traceback" not in errors
        assert errors.endswith("Interrupted. Run again: nothing has to be cleaned up.\n")
        assert after_good_run.output_bytes() == before

    _run_again(after_good_run)
    _assert_clean(after_good_run)


@pytest.mark.exhaustive
def test_a_first_run_that_is_killed_is_no_obstacle(
    make_workspace: Callable[[str], Workspace], after_good_run: Workspace
) -> None:
    workspace = make_workspace("first")
    shutil.copytree(after_good_run.inputs, workspace.inputs)

    _stopped(workspace, MODELS, signal.SIGKILL)

    assert list(workspace.root.glob("outputs/*")) == []
    _run_again(workspace)
    _assert_clean(workspace)


def test_of_two_runs_at_once_one_works_and_the_other_says_so_or_waits(
    after_good_run: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _started(after_good_run) as process:
        _wait_for(process, "Delivery of")
        process.send_signal(signal.SIGSTOP)
        # A run history of its own: the other process may have stopped in the middle of writing.
        other_home = tmp_path / "other_home"
        shutil.copytree(after_good_run.settings().dbt_cache, other_home / "dbt")

        report = after_good_run.run(dagster_home=other_home)

        assert report.outcome == "failed"
        assert report.message.startswith(
            f"{after_good_run.database}: process {process.pid} (__main__.py) is using this database"
        )

        # The other process goes on as soon as we have found that we must wait.
        sleep = locks.time.sleep

        def let_the_other_go_on(seconds: float) -> None:
            process.send_signal(signal.SIGCONT)
            sleep(seconds)

        monkeypatch.setattr(locks.time, "sleep", let_the_other_go_on)
        monkeypatch.setenv("LOCK_WAIT_SECONDS", str(_LONGEST_SECONDS))

        report = after_good_run.run(dagster_home=other_home)

        assert report.outcome == "success", report.message
        # What it says after that is that the month can wait, if the other one was quicker.
        assert "Writing account_summary.parquet\n" in process.communicate()[1]
        assert process.returncode == 0
    _assert_clean(after_good_run)
