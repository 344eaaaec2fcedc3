"""A backfill through Dagster's own page and daemon, as a person starts it."""

import datetime as dt
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from lending_club_pipeline.publish.manifest import read_manifest
from lending_club_pipeline.storage.folder_outputs import FolderOutputs
from tests.pipeline.doors import record, states
from tests.workspaces import Workspace

DAYS = [dt.date(2026, 3, 10) + dt.timedelta(days=n) for n in range(4)]
PROCESSED, BROKEN = DAYS[0], DAYS[2]
_LONGEST_SECONDS = 900
LAUNCH = """
    mutation Launch($params: LaunchBackfillParams!) {
      launchPartitionBackfill(backfillParams: $params) {
        __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message }
      }
    }
"""
RUNS = """
    { runsOrError { ... on Runs { results {
      runId status jobName tags { key value }
      eventConnection { events {
        ... on ExecutionStepFailureEvent { stepKey error { message } }
        ... on RunFailureEvent { message error { message } } } } } } } }
"""
ASSETS = "{ assetNodes { assetKey { path } isMaterializable partitionDefinition { type name } } }"
REPOSITORY = """
    { repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }
"""


@dataclass
class Page:
    """Dagster's page, by its queries."""

    port: int

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql",
            data=json.dumps({"query": query, "variables": variables}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            found = json.loads(answer.read())
        assert "errors" not in found, found
        return dict(found["data"])

    def runs(self) -> list[dict[str, Any]]:
        return list(self.ask(RUNS)["runsOrError"]["results"])


@contextmanager
def served(workspace: Workspace) -> Iterator[Page]:
    """Serve the page and the daemon, and end them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        page = Page(free.getsockname()[1])
    with (workspace.root / "ui.txt").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "lending_club_pipeline", "ui", "--port", str(page.port)],
            env={**os.environ, **workspace.environment()},
            cwd=workspace.root,
            stdout=said,
            stderr=said,
        )
    try:
        wait_for(lambda: is_up(page, process), "the page")
        yield page
    finally:
        process.terminate()
        process.wait(timeout=120)


def is_up(page: Page, process: "subprocess.Popen[bytes]") -> bool:
    assert process.poll() is None
    try:
        return bool(page.ask(REPOSITORY)["repositoriesOrError"]["nodes"])
    except OSError:
        return False


def wait_for(is_so: Any, what: str) -> None:
    deadline = time.monotonic() + _LONGEST_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(1)


@pytest.mark.exhaustive
def test_a_backfill_keeps_the_promises_of_every_door(workspace: Workspace) -> None:
    for day in DAYS:
        workspace.deliver("1,Ada,Yes\n", f"A,1,{day.day},Savings\n", day)
    workspace.deliver("1,Ada,Yes\n", b"a;b\n1;2\n", BROKEN)
    record(workspace, [PROCESSED])
    before = states(workspace)[PROCESSED]

    with served(workspace) as page:
        daily = [
            node["assetKey"]
            for node in page.ask(ASSETS)["assetNodes"]
            if node["isMaterializable"]
            and (node["partitionDefinition"] or {}).get("type") == "TIME_WINDOW"
            and node["assetKey"]["path"] != ["account_summary_monthly"]
        ]
        launched = page.ask(
            LAUNCH,
            params={
                "assetSelection": daily,
                "partitionNames": [day.isoformat() for day in DAYS],
                "tags": [],
            },
        )["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched

        # One run that the refused day stops, and those of its neighbours.
        def is_over() -> bool:
            ended = [run["status"] in {"SUCCESS", "FAILURE"} for run in page.runs()]
            return len(ended) >= 3 and all(ended)

        wait_for(is_over, str(page.runs()))
        runs = page.runs()

    told = json.dumps([{"status": it["status"], "events": it["eventConnection"]} for it in runs])
    assert sorted(run["status"] for run in runs) == ["FAILURE", "SUCCESS", "SUCCESS"], told
    known = states(workspace)
    assert known[PROCESSED].build_ended_at == before.build_ended_at
    assert [known[day].is_built for day in DAYS] == [True, True, False, True]
    assert "separated by a semicolon" in known[BROKEN].refused
    manifest = read_manifest(FolderOutputs(workspace.outputs))
    assert manifest is not None
    assert manifest["as_of_date"] == DAYS[-1].isoformat()
