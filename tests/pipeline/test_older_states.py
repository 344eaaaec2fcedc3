"""State that an older version has made: today's version goes on from it, or says what to do."""

import datetime as dt
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from lending_club_pipeline.defs.instance import ensure_dagster_home, open_instance
from lending_club_pipeline.publish.manifest import read_manifest
from lending_club_pipeline.storage.folder_outputs import FolderOutputs
from tests.pipeline.doors import states
from tests.workspaces import Workspace

STATES = Path(__file__).parents[1] / "data" / "older_states"
HISTORIES = (
    "account_history",
    "account_summary_daily",
    "account_summary_monthly",
    "customer_history",
    "delivery_changes",
    "delivery_ledger",
    "delivery_movements",
    "quarantined_records",
)
FIRST, LAST = dt.date(2026, 1, 30), dt.date(2026, 1, 31)


def extract(workspace: Workspace) -> Workspace:
    """Put the state of before the tables `pipeline_days` and `delivery_checks` into a place."""
    with tarfile.open(STATES / "without_pipeline_days.tar.xz") as archive:
        # Python knows the filter from 3.11.4 on.
        safely: Any = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(workspace.root, **safely)  # noqa: S202 - it is our own
    return workspace


@pytest.fixture(scope="module")
def upgraded(new_workspace: Callable[[str], Workspace]) -> Workspace:
    """That state after a run of today's version, which publishes the same."""
    workspace = extract(new_workspace("upgraded"))
    before = (workspace.outputs / "account_summary.csv").read_bytes()
    ended = workspace.command("run")
    assert ended.returncode == 0, ended.stderr
    assert (workspace.outputs / "account_summary.csv").read_bytes() == before
    return workspace


def test_the_newest_day_is_processed_again_and_published(upgraded: Workspace) -> None:
    manifest = read_manifest(FolderOutputs(upgraded.outputs))

    assert manifest is not None
    assert manifest["as_of_date"] == LAST.isoformat()
    assert set(states(upgraded)) == {LAST}


@pytest.fixture
def fresh(upgraded: Workspace, workspace: Workspace) -> Workspace:
    """The same deliveries, processed by today's version alone."""
    shutil.copytree(upgraded.inputs, workspace.inputs)
    assert workspace.run_range(FIRST, LAST).outcomes == {"success"}
    return workspace


def test_no_history_differs_from_one_that_todays_version_made(
    upgraded: Workspace, fresh: Workspace
) -> None:
    with duckdb.connect() as connection:
        for name, workspace in (("upgraded", upgraded), ("fresh", fresh)):
            connection.execute(f"attach '{workspace.database}' as {name} (read_only)")
        for table in HISTORIES:
            rows = [
                connection.execute(f"from {name}.{table} order by all").fetchall()
                for name in ("upgraded", "fresh")
            ]
            assert rows[0], table
            assert rows[0] == rows[1], table


def test_runs_of_the_older_version_stay_in_the_history(upgraded: Workspace) -> None:
    with open_instance(ensure_dagster_home(upgraded.settings())) as instance:
        runs = instance.get_runs()
    assert len(runs) > 2
    assert {run.status for run in runs} == {dg.DagsterRunStatus.SUCCESS}
    partitions = {run.tags.get("dagster/asset_partition_range_start") for run in runs[1:]}
    assert FIRST.isoformat() in partitions


def test_an_older_day_alone_says_in_one_line_what_heals(workspace: Workspace) -> None:
    older = extract(workspace)
    before = older.output_bytes()

    ended = older.command("run", "--as-of", FIRST.isoformat())

    assert ended.returncode == 1
    said = ended.stderr.splitlines()[-2]
    assert said.startswith(f"Failed: The delivery of {LAST} may not be published: ")
    assert "an older version processed it" in said
    assert said.endswith(f"lending-club run --as-of {LAST} --force")
    assert older.output_bytes() == before


@pytest.mark.exhaustive
def test_what_an_older_day_alone_says_heals(workspace: Workspace) -> None:
    older = extract(workspace)
    assert older.command("run", "--as-of", FIRST.isoformat()).returncode == 1

    assert older.command("run", "--as-of", LAST.isoformat(), "--force").returncode == 0
    again = older.command("run", "--from", FIRST.isoformat(), "--to", LAST.isoformat())
    assert again.returncode == 0, again.stderr
    assert [
        line.split()[1] for line in again.stdout.splitlines() if line.strip().startswith("2026")
    ] == [
        "unchanged",
        "unchanged",
    ]
