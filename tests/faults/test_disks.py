"""A disk or a folder that cannot be used: which one, why, what to do; outputs stay as they were."""

import gzip
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from lending_club_pipeline.contract.errors import (
    OutputError,
)
from lending_club_pipeline.files import atomic
from lending_club_pipeline.files.atomic import Publication, replacing
from lending_club_pipeline.files.processes import process_label
from tests.faults.landings import ACCOUNTS, CUSTOMERS, Landing
from tests.faults.restrictions import largest_file, mode
from tests.workspaces import ACCOUNT_HEADER, AS_OF, Workspace, process_delivery

Failure = Callable[..., str]


def _run_on_a_disk_that_fills(workspace: Workspace, moment: str, largest_bytes: int) -> str:
    """Run with a large delivery; from a message on, no file can grow beyond a size."""
    records = (
        f"{sha256(str(number).encode()).hexdigest() * 4},1,{number}.00,Savings\n"
        for number in range(20_000)
    )
    workspace.deliver(CUSTOMERS, (ACCOUNT_HEADER + "".join(records)).encode())
    before = workspace.output_bytes()
    with ExitStack() as stack:

        def fill(message: str) -> None:
            if message.startswith(moment):
                stack.enter_context(largest_file(largest_bytes))

        report = process_delivery(workspace.settings(), AS_OF, fill)
    assert report.outcome == "failed"
    assert workspace.output_bytes() == before
    assert "\n" not in report.message
    return report.message


@pytest.mark.exhaustive
def test_a_disk_that_fills_while_models_are_built_fails_the_run_and_the_next_one_recovers(
    after_good_run: Workspace,
) -> None:
    # Enough for the history of runs, too little for the models.
    size = after_good_run.database.stat().st_size + 10**6

    message = _run_on_a_disk_that_fills(after_good_run, "dbt ", size)

    assert "File too large" in message
    assert "the outputs of the last good run are unchanged" in message
    assert after_good_run.run().outcome == "success"


def test_a_disk_that_fills_while_outputs_are_written_is_named(after_good_run: Workspace) -> None:
    message = _run_on_a_disk_that_fills(after_good_run, "Writing account_summary.csv", 4 * 10**6)

    assert message == (
        f"{after_good_run.outputs / 'account_summary.csv'}: the disk is full. Free some space and "
        "run again. The last good outputs are unchanged."
    )


def test_a_folder_in_which_no_output_may_be_written_is_named(tmp_path: Path) -> None:
    with (
        mode(tmp_path, 0o500),
        pytest.raises(OutputError, match=r"cannot be read or written \(Perm.*OUTPUT_PATH"),
        replacing(tmp_path / "report.html") as work,
    ):
        work.touch()


@pytest.mark.exhaustive
def test_a_run_with_an_output_folder_that_may_not_be_written_names_it(
    after_good_run: Workspace, failure: Failure
) -> None:
    with mode(after_good_run.outputs, 0o500):
        message = failure(after_good_run)

    assert message.startswith(
        f"{after_good_run.outputs}: this cannot be read or written (Permission denied)"
    )
    assert "OUTPUT_PATH" in message


def test_a_file_in_place_of_the_output_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "outputs").touch()

    with (
        pytest.raises(OutputError, match="where its folder should be is a file"),
        replacing(tmp_path / "outputs" / "report.html"),
    ):
        pass


def test_outputs_that_cannot_all_be_written_are_not_published(tmp_path: Path) -> None:
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text("old\n")

    def publish() -> None:
        with Publication() as publication:
            publication.temp_path_for(first).write_text("new\n")
            with atomic.explaining(second):
                publication.temp_path_for(second).write_text("new\n" * 1000)

    with pytest.raises(OutputError) as caught, largest_file(100):
        publish()

    assert str(caught.value).startswith(f"{second}: the disk is full.")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"first.csv": "old\n"}


def test_what_a_killed_run_left_beside_an_output_is_removed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    this_machine, _, pid = process_label().partition("-")
    another_machine = "0" * len(this_machine)
    for start in (".", "tmp_."):
        (tmp_path / f"{start}report.html.{this_machine}-{ended.pid}.tmp").touch()
    of_yesterday = tmp_path / f".report.html.{another_machine}-{ended.pid}.tmp"
    of_yesterday.touch()
    os.utime(of_yesterday, (0, 0))
    live = [
        tmp_path / f".report.html.{this_machine}-{os.getppid()}.tmp",
        tmp_path / f".report.html.{another_machine}-{pid}.tmp",
        # A process number of a container says nothing about this machine's processes.
        tmp_path / f"tmp_.report.html.{another_machine}-{ended.pid}.tmp",
    ]
    for file in live:
        file.touch()

    with replacing(tmp_path / "report.html") as work:
        work.write_text("new\n")

    assert {path.name for path in tmp_path.iterdir()} == {
        "report.html",
        *(file.name for file in live),
    }


def test_a_full_landing_disk_is_named_and_leaves_what_was_landed(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    landing.deliver()
    landing.land()
    before = landing.landed_bytes()
    landing.deliver(accounts=ACCOUNTS + b"A3,1,1.00,Savings\n")

    with pytest.raises(OutputError) as caught, largest_file(100):
        landing.land()

    assert str(caught.value) == (
        f"{landing.target}: the disk is full. Free some space and run again. "
        "The last good outputs are unchanged."
    )
    assert landing.landed_bytes() == before


def test_a_disk_that_is_full_while_a_file_is_unpacked_is_not_taken_for_a_broken_file(
    tmp_path: Path,
) -> None:
    landing = Landing(tmp_path)
    landing.deliver()
    landing.accounts.unlink()
    (landing.folder / "accounts.csv.gz").write_bytes(gzip.compress(ACCOUNTS))

    with pytest.raises(OutputError, match="the disk is full"), largest_file(10):
        landing.land()


def test_a_landing_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    landing.deliver()
    landing.target.mkdir()

    with mode(landing.target, 0o500), pytest.raises(OutputError) as caught:
        landing.land()

    assert str(caught.value).startswith(f"{landing.target}: this cannot be read or written (Perm")
    assert "LANDING_PATH" in str(caught.value)


def test_a_run_history_in_place_of_which_is_a_file_is_named(
    workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(OutputError) as caught:
        workspace.run(dagster_home=tmp_path / "file")

    assert "where its folder should be is a file" in str(caught.value)
    assert "DAGSTER_HOME" in str(caught.value)


@contextmanager
def _without_rights(history: Path) -> Iterator[None]:
    with mode(history / "runs.db", 0o400), mode(history, 0o500):
        yield


@contextmanager
def _damaged(history: Path) -> Iterator[None]:
    (history / "runs.db").write_bytes(b"this is no database")
    yield


@contextmanager
def _on_a_full_disk(history: Path) -> Iterator[None]:
    with largest_file(10_000):
        yield


@pytest.mark.parametrize("broken", [_without_rights, _damaged, _on_a_full_disk])
def test_a_run_history_that_cannot_be_used_is_named(
    after_good_run: Workspace, broken: Callable[[Path], AbstractContextManager[None]]
) -> None:
    before = after_good_run.output_bytes()
    home = after_good_run.root / "dagster"
    after_good_run.keep_history()

    with pytest.raises(OutputError) as caught, broken(home / "history"):
        after_good_run.run()

    assert str(caught.value).startswith(f"{home}: Dagster's run history cannot be read or written")
    assert "\n" not in str(caught.value)
    assert "DAGSTER_HOME" in str(caught.value)
    assert after_good_run.output_bytes() == before


@pytest.mark.exhaustive
def test_a_disk_too_full_for_the_parsed_project_is_not_taken_for_a_broken_project(
    tmp_path: Path,
) -> None:
    workspace = Workspace(tmp_path)
    workspace.deliver(CUSTOMERS, ACCOUNTS)

    with pytest.raises(OutputError) as caught, largest_file(100_000):
        workspace.run()

    assert str(caught.value) == (
        f"{tmp_path / 'dagster' / 'dbt'}: the disk is full. Free some space and run again. "
        "The last good outputs are unchanged."
    )
