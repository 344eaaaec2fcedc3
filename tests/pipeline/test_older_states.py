"""State that an older version has made: today's version goes on from it, or says what to do."""

import datetime as dt
import tarfile
from pathlib import Path

import pytest

from lending_club_pipeline.publish.manifest import read_manifest
from lending_club_pipeline.storage.folder_outputs import FolderOutputs
from tests.pipeline.doors import states
from tests.workspaces import Workspace

STATES = Path(__file__).parents[1] / "data" / "older_states"
FIRST, LAST = dt.date(2026, 1, 30), dt.date(2026, 1, 31)


@pytest.fixture
def older(workspace: Workspace) -> Workspace:
    """The state of before the tables `pipeline_days` and `delivery_checks`."""
    with tarfile.open(STATES / "without_pipeline_days.tar.xz") as archive:
        archive.extractall(workspace.root, filter="data")
    return workspace


def test_the_newest_day_is_processed_again_and_published(older: Workspace) -> None:
    before = (older.outputs / "account_summary.csv").read_bytes()

    ended = older.command("run")

    assert ended.returncode == 0, ended.stderr
    assert (older.outputs / "account_summary.csv").read_bytes() == before
    manifest = read_manifest(FolderOutputs(older.outputs))
    assert manifest is not None
    assert manifest["as_of_date"] == LAST.isoformat()
    assert set(states(older)) == {LAST}


def test_an_older_day_alone_says_in_one_line_what_heals(older: Workspace) -> None:
    before = older.output_bytes()

    ended = older.command("run", "--as-of", FIRST.isoformat())

    assert ended.returncode == 1
    said = ended.stderr.splitlines()[-2]
    assert said.startswith(f"Failed: The delivery of {LAST} may not be published: ")
    assert "an older version processed it" in said
    assert said.endswith(f"lending-club run --as-of {LAST} --force")
    assert older.output_bytes() == before

    assert older.command("run", "--as-of", LAST.isoformat(), "--force").returncode == 0
    again = older.command("run", "--from", FIRST.isoformat(), "--to", LAST.isoformat())
    assert again.returncode == 0, again.stderr
    assert [
        line.split()[1] for line in again.stdout.splitlines() if line.strip().startswith("2026")
    ] == [
        "unchanged",
        "unchanged",
    ]
