"""What a viewer can change: nothing, by any mutation, on any transport of the real webserver."""

import json
import re
import shutil
import sqlite3
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from dagster import DagsterRunStatus, RunsFilter
from dagster._core.execution.backfill import BulkActionStatus
from dagster_graphql.schema import create_schema
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
)
from websockets.sync.client import connect

from lending_club_pipeline.defs.instance import open_instance
from lending_club_pipeline.operating.audit import login
from tests.operating.webservers import MODULE, webserver
from tests.workspaces import Workspace

pytestmark = pytest.mark.operations
MUTATIONS: Final = create_schema().graphql_schema.mutation_type.fields
# Both change nothing that anybody else sees: a page was looked at, and telemetry, which is off.
HARMLESS: Final = {"setNuxSeen", "logTelemetry"}
# For partitions and components that are made on the page: this project has none.
REFUSED_TO_ALL: Final = {
    "addDynamicPartition",
    "deleteDynamicPartitions",
    "setAppManagedComponent",
    "deleteAppManagedComponent",
}
# After these there is nothing left to ask for.
LAST: Final = {"shutdownRepositoryLocation", "deleteRun", "deletePipelineRun"}
REFUSED: Final = re.compile("Unauthorized|permission|TerminateRunFailure")
# What is asked of several runs answers for each.
OF_EACH: Final = {
    "terminateRuns": "... on TerminateRunsResult { terminateRunResults { __typename } }",
    "launchMultipleRuns": "... on LaunchMultipleRunsResult "
    "{ launchMultipleRunsResult { __typename } }",
}
REPOSITORY: Final = {"repositoryLocationName": MODULE, "repositoryName": "__repository__"}
USER: Final = "ann@example.com"
ASSETS: Final = [{"path": ["account_summary"]}]
# What a person who knows the system gives for each argument by its name.
KNOWN: Final[Mapping[str, object]] = {
    **REPOSITORY,
    "repositorySelector": REPOSITORY,
    "locationName": MODULE,
    "jobName": "process_delivery",
    "mode": "default",
    "path": ["account_summary"],
    "assetSelection": ASSETS,
    "partitionNames": ["2026-01-31"],
    "title": "account_summary",
    "strategy": "ALL_STEPS",
}
# Without a daemon, the run and the backfill wait.
PREPARED: Final = """
    mutation Prepare($run: ExecutionParams!, $backfill: LaunchBackfillParams!) {
      launchRun(executionParams: $run) { ... on LaunchRunSuccess { run { runId } } }
      launchPartitionBackfill(backfillParams: $backfill) {
        ... on LaunchBackfillSuccess { backfillId }
      }
    }
"""
INSTIGATORS: Final = """
    query Ids($in: RepositorySelector!) {
      sensorsOrError(repositorySelector: $in) {
        ... on Sensors { results { name sensorState { id } } }
      }
      schedulesOrError(repositorySelector: $in) {
        ... on Schedules { results { name scheduleState { id } } }
      }
    }
"""


@dataclass
class Webserver:
    """A webserver of Dagster's, as a viewer or an operator has it."""

    url: str
    # Values of arguments, by the name of the mutation ("" means any) and that of the argument.
    known: dict[str, dict[str, object]] = field(default_factory=dict)

    def ask(self, path: str, body: bytes | None = None, kind: str = "application/json") -> str:
        """Return what it answers, refusals included."""
        # As the gateway names who signed in.
        headers = {"Content-Type": kind, "X-Forwarded-Email": USER}
        request = urllib.request.Request(self.url + path, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            return f"{error.code} {error.read().decode()}"

    def query(self, text: str, variables: Mapping[str, object]) -> str:
        return self.ask("/graphql", json.dumps({"query": text, "variables": variables}).encode())

    def mutate(self, name: str) -> str:
        return self.query(*written(name, {**KNOWN, **self.known[""], **self.known.get(name, {})}))


@contextmanager
def served(space: Workspace, *arguments: str) -> Iterator[Webserver]:
    with webserver(space, *arguments) as url:
        yield Webserver(url)


@pytest.fixture(scope="module")
def prepared(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Workspace, dict[str, dict[str, object]]]:
    """A history with a run and a backfill, and how they are named."""
    space = Workspace(tmp_path_factory.mktemp("roles"))
    space.deliver("1,Ada,Yes\n", "A,1,100.00,Savings\n")
    assert space.run().outcome == "success"
    with served(space) as operator:
        tags = {"tags": [{"key": "dagster/partition", "value": "2026-01-31"}]}
        job = {**REPOSITORY, "jobName": "process_delivery"}
        asked = {
            "run": {"selector": job, "executionMetadata": tags},
            "backfill": {"assetSelection": ASSETS, "partitionNames": ["2026-01-31"], "title": "x"},
        }
        made = json.loads(operator.query(PREPARED, asked))["data"]
        ids = json.loads(operator.query(INSTIGATORS, {"in": REPOSITORY}))["data"]
    run_id = made["launchRun"]["run"]["runId"]
    backfill_id = made["launchPartitionBackfill"]["backfillId"]
    with open_instance(space.root / "dagster") as instance:
        backfill = instance.get_backfill(backfill_id)
        assert backfill is not None
        # What lasts cannot be run again.
        instance.update_backfill(backfill.with_status(BulkActionStatus.COMPLETED_SUCCESS))
    sensor, schedule = (ids[f"{kind}sOrError"]["results"][0] for kind in ("sensor", "schedule"))
    return space, {
        "": {
            "runId": run_id,
            "runIds": [run_id],
            "parentRunId": run_id,
            "backfillId": backfill_id,
            "sensorName": sensor["name"],
            "scheduleName": schedule["name"],
        },
        "reexecutePartitionBackfill": {"parentRunId": backfill_id},
        "stopSensor": {"id": sensor["sensorState"]["id"]},
        "stopRunningSchedule": {"id": schedule["scheduleState"]["id"]},
        # A run is run again by its id, or by what describes it: not by both.
        "launchRunReexecution": {"executionParams": None},
        "launchPipelineReexecution": {"executionParams": None},
    }


@pytest.fixture(scope="module")
def space(prepared: tuple[Workspace, dict[str, dict[str, object]]]) -> Workspace:
    return prepared[0]


@pytest.fixture(scope="module")
def viewer(prepared: tuple[Workspace, dict[str, dict[str, object]]]) -> Iterator[Webserver]:
    with served(prepared[0], "--read-only") as running:
        running.known = prepared[1]
        yield running


def kept(space: Workspace) -> dict[str, list[tuple[object, ...]]]:
    """Return all rows of Dagster's history, schedules and sensors included."""
    rows = {}
    for file in sorted(space.root.joinpath("dagster").rglob("*.db")):
        with closing(sqlite3.connect(file)) as database:
            for (table,) in database.execute(
                "select name from sqlite_master where type = 'table'"
            ).fetchall():
                found = database.execute(f'select * from "{table}"').fetchall()
                rows[f"{file.name}.{table}"] = sorted(found, key=repr)
    return rows


def filled(kind: GraphQLInputType, name: str, known: Mapping[str, object]) -> Any:
    """Return a value of a type of the schema: the known one of that name, or any."""
    if name in known:
        return known[name]
    if isinstance(kind, GraphQLNonNull):
        return filled(kind.of_type, name, known)
    if isinstance(kind, GraphQLList):
        return [filled(kind.of_type, name, known)]
    if isinstance(kind, GraphQLInputObjectType):
        return {
            field: filled(it.type, field, known)
            for field, it in kind.fields.items()
            if isinstance(it.type, GraphQLNonNull) or field in known
        }
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    return {"Int": 1, "Float": 1.0, "Boolean": True}.get(kind.name, "x")


def written(name: str, known: Mapping[str, object]) -> tuple[str, dict[str, object]]:
    """Return the text of a mutation with all its arguments, and their values."""
    mutation = MUTATIONS[name]
    values = {it: filled(given.type, it, known) for it, given in mutation.args.items()}
    head = ", ".join(f"${it}: {given.type}" for it, given in mutation.args.items())
    given = ", ".join(f"{it}: ${it}" for it in mutation.args)
    shown = f"{{ __typename {OF_EACH.get(name, '')} ... on PythonError {{ message }} }}"
    if not isinstance(get_named_type(mutation.type), GraphQLObjectType | GraphQLUnionType):
        shown = ""
    called = f"{name}({given})" if given else name
    return f"mutation M{f'({head})' if head else ''} {{ {called} {shown} }}", values


def test_no_mutation_changes_anything(space: Workspace, viewer: Webserver) -> None:
    before = kept(space)

    answered = {name: viewer.mutate(name) for name in MUTATIONS}

    assert kept(space) == before
    expected = MUTATIONS.keys() - HARMLESS
    assert {it: answered[it] for it in expected if not REFUSED.search(answered[it])} == {}


def by_post(server: Webserver, query: str) -> str:
    return server.query(query, {})


def by_graphql(server: Webserver, query: str) -> str:
    return server.ask("/graphql", query.encode(), "application/graphql")


def by_link(server: Webserver, query: str) -> str:
    return server.ask(f"/graphql?{urllib.parse.urlencode({'query': query})}")


def by_form(server: Webserver, query: str) -> str:
    form = urllib.parse.urlencode({"query": query})
    return server.ask(f"/graphql?{form}", form.encode(), "application/x-www-form-urlencoded")


def by_websocket(server: Webserver, query: str) -> str:
    address = server.url.replace("http:", "ws:") + "/graphql"
    with connect(address, subprotocols=["graphql-ws"], open_timeout=30) as socket:
        socket.send(json.dumps({"type": "connection_init", "payload": {}}))
        socket.send(json.dumps({"type": "start", "id": "1", "payload": {"query": query}}))
        said = ""
        while '"id"' not in said:
            said = str(socket.recv(timeout=30))
    return said


TRANSPORTS: Final[dict[str, Callable[[Webserver, str], str]]] = {
    "post": by_post,
    "graphql": by_graphql,
    "link": by_link,
    "form": by_form,
    "websocket": by_websocket,
}


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_no_transport_lets_a_viewer_delete_a_run(
    space: Workspace, viewer: Webserver, transport: str
) -> None:
    before = kept(space)

    said = TRANSPORTS[transport](
        viewer, f'mutation {{ deleteRun(runId: "{viewer.known[""]["runId"]}") {{ __typename }} }}'
    )

    assert kept(space) == before
    # A websocket takes nothing but subscriptions.
    assert "UnauthorizedError" in said or "subscription field 'deleteRun'" in said, said


@pytest.mark.parametrize("what", ["materialization", "check", "observation"])
def test_a_viewer_reports_nothing_by_the_webservers_other_addresses(
    space: Workspace, viewer: Webserver, what: str
) -> None:
    before = kept(space)

    body = json.dumps({"passed": True, "check_name": "one_row_per_id"}).encode()
    said = viewer.ask(f"/report_asset_{what}/account_summary", body)

    assert kept(space) == before
    assert said.startswith("401"), said


def test_a_run_is_tagged_with_who_started_it(
    prepared: tuple[Workspace, dict[str, dict[str, object]]],
) -> None:
    space, known = prepared
    with open_instance(space.root / "dagster") as instance:
        by_page = instance.get_run_by_id(str(known[""]["runId"]))
        (by_command,) = instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.SUCCESS]))

    assert by_page is not None
    assert by_page.tags["user"] == USER
    assert by_command.tags["user"] == login()


def test_an_operators_webserver_does_what_a_viewers_refuses(
    prepared: tuple[Workspace, dict[str, dict[str, object]]], tmp_path: Path
) -> None:
    # Otherwise the tests above might send what nobody understands.
    own = Workspace(Path(shutil.copytree(prepared[0].root, tmp_path / "own")))
    before = kept(own)
    with served(own) as operator:
        operator.known = prepared[1]
        answered = {name: operator.mutate(name) for name in MUTATIONS if name not in LAST}
        said = operator.mutate("deleteRun")

    assert {name for name, it in answered.items() if "Unauthorized" in it} == REFUSED_TO_ALL
    assert "DeletePipelineRunSuccess" in said
    assert kept(own) != before
