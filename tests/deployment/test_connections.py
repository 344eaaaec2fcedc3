"""A run needs the connections of docs/network.md and no other: all else is cut off here."""

import sys
from urllib.parse import urlsplit

import pytest

from tests.databricks.pipelines import CHOSEN
from tests.deployment.namespace import Ended, run_alone, why_none
from tests.objects import buckets
from tests.objects.buckets import ObjectWorkspace
from tests.postgres import is_installed, postgres_server
from tests.workspaces import AS_OF, Workspace

pytestmark = pytest.mark.operations

_ARGUMENTS = ("run", "--as-of", AS_OF.isoformat())
CUSTOMERS = "1,Ada,Yes\n2,Bob,No\n"
ACCOUNTS = "A,1,100.50,Savings\nB,2,7,Savings\n"


def _run(workspace: Workspace, ports: set[int], **variables: str) -> Ended:
    if reason := why_none():
        pytest.skip(reason)
    command = [sys.executable, "-m", "lending_club_pipeline", *_ARGUMENTS]
    return run_alone(command, workspace.environment() | variables, ports, 600)


def test_a_run_on_duckdb_with_folders_needs_no_network(workspace: Workspace) -> None:
    workspace.deliver(CUSTOMERS, ACCOUNTS)

    ended = _run(workspace, set())

    assert ended.code == 0, ended.said
    assert ended.elsewhere == 0


def test_what_is_tried_beside_them_is_noticed(workspace: Workspace) -> None:
    workspace.deliver(CUSTOMERS, ACCOUNTS)

    ended = _run(workspace, set(), INPUT_PATH="s3://bucket/in", **buckets.VARIABLES)

    assert ended.code != 0
    assert ended.elsewhere > 0


def test_a_run_on_databricks_reaches_the_workspace_postgres_and_the_object_store_alone(
    workspace: Workspace, warehouse_environment: dict[str, str]
) -> None:
    if not is_installed():
        pytest.skip("Postgres is not installed: see .ci/run for the package")
    with buckets.running() as bucket, postgres_server() as postgres:
        there = ObjectWorkspace(workspace.root, bucket=bucket, endpoint=bucket.endpoint)
        there.deliver(CUSTOMERS, ACCOUNTS)
        history = {name.upper(): str(value) for name, value in postgres.settings().items()}
        needed = {
            "workspace": _port(f"https://{warehouse_environment['DATABRICKS_HOST']}"),
            "object store": _port(bucket.endpoint),
            "Postgres": postgres.port,
        }

        ended = _run(there, set(needed.values()), **warehouse_environment, **CHOSEN, **history)

        assert ended.code == 0, ended.said
        assert bucket.manifest()["as_of_date"] == AS_OF.isoformat()
    assert ended.elsewhere == 0
    assert all(ended.connections[port] for port in needed.values()), (needed, ended.connections)


def _port(address: str) -> int:
    return urlsplit(address).port or 443
