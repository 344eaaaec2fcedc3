"""The services of compose.yaml, brought up from a copy of the checkout."""

import json
import os
import shutil
import stat
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from lending_club_pipeline.defs.intents import FORCE_TAG
from tests.browser import browse
from tests.deployment.engine import docker
from tests.deployment.images import ROOT
from tests.operating.programs import free_port

SERVICES = ("dagster-webserver", "dagster-daemon", "dagster-user-code", "postgres")
LOCATION = "lending-club"
# What the pages look like; make test-compose overwrites it.
PICTURES = ROOT / ".tmp" / "pages"
ENDED = ("SUCCESS", "FAILURE", "CANCELED")
_COPIED = ("compose.yaml", "src", "dbt", "deploy")
_LAUNCH = """
mutation ($of: ExecutionParams!) { launchPipelineExecution(executionParams: $of) { __typename
  ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }
"""
_RUNS = """{ runsOrError { ... on Runs { results { runId status startTime endTime
  tags { key value } } } } }"""
_LOCATION = """
{ workspaceOrError { ... on Workspace { locationEntries { name
  locationOrLoadError { __typename ... on PythonError { causes { message } }
    ... on RepositoryLocation { repositories { jobs { name description }
      assetNodes { assetKey { path } description } } } } } } } }
"""


Found = TypeVar("Found")


def wait_for(
    look: Callable[[], Found | None], what: str, seconds: float, every: float = 1.0
) -> Found:
    """Return what `look` finds, as soon as it does."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s"
        time.sleep(every)


def show(folder: Path) -> None:
    """Let the user of the containers, who is another one, read a folder and all in it."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _compose() -> list[str]:
    done = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    return ["docker", "compose"] if done.returncode == 0 else ["docker-compose"]


@dataclass
class Stack:
    """The four services, or more.

    Attributes:
        folder: copy of the checkout, whose sources are mounted.
        variables: what compose.yaml takes from the environment.
        services: those that come up.
        port: of the web server.
    """

    folder: Path
    variables: Mapping[str, str]
    services: Sequence[str] = SERVICES
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        for name in _COPIED:
            source, target = ROOT / name, self.folder / name
            if source.is_dir():
                skipped = shutil.ignore_patterns("__pycache__", "target", "logs")
                shutil.copytree(source, target, ignore=skipped)
            else:
                shutil.copy(source, target)
        self.inputs.mkdir(parents=True)
        show(self.folder)
        for parent in self.folder.parents:
            # The temporary folders of pytest are their owner's; what lies above is everybody's.
            if not parent.stat().st_mode & stat.S_IXOTH:
                parent.chmod(0o755)
        self._command = _compose()

    @property
    def inputs(self) -> Path:
        """Folder into which deliveries are dropped."""
        return self.folder / "inputs"

    @property
    def project(self) -> str:
        """Name that containers and volumes begin with."""
        return f"lending-club-test-{self.port}"

    @property
    def url(self) -> str:
        """Address of the web server."""
        return f"http://127.0.0.1:{self.port}"

    def compose(self, *arguments: str, timeout: float = 600.0) -> str:
        """Run Compose; return what it printed on standard output."""
        return self._run([*self._command, *arguments], timeout)

    def shell(self, text: str) -> str:
        """Run shell commands as a page of the docs has them; return what they printed."""
        return "".join(self._typed(line) for line in text.splitlines() if line)

    def _typed(self, line: str) -> str:
        # Compose of version 1 knows no --wait: then this waits.
        waits = line.startswith("docker compose up ") and self._command == ["docker-compose"]
        ours = line.replace("docker compose", " ".join(self._command))
        printed = self._run(
            ["sh", "-e", "-c", ours.replace(" --wait", "") if waits else ours], 1200
        )
        if waits:
            named = [it for it in self.services if it in line.split()]
            self.expect_all_healthy(named or self.services)
        return printed

    def _run(self, command: Sequence[str], timeout: float) -> str:
        environment = {
            **os.environ,
            **self.variables,
            "COMPOSE_PROJECT_NAME": self.project,
            "INPUTS": str(self.inputs),
            "LENDING_CLUB_PORT": str(self.port),
        }
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def up(self) -> None:
        """Bring the services up; return when all of them are healthy."""
        self.compose("up", "--detach", "--no-build")
        self.expect_all_healthy(self.services)

    def expect_all_healthy(self, services: Sequence[str]) -> None:
        """Return when all of these services are healthy."""
        for service in services:
            self.expect_health(service, "healthy", 600)

    def container(self, service: str) -> str:
        """Return the id of a service's container."""
        return self.compose("ps", "--quiet", service).strip()

    def address(self, service: str) -> str:
        """Return a service's address on the network of the services."""
        shown = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        return docker("inspect", "--format", shown, self.container(service))

    def health(self, service: str) -> str:
        """Return what Docker says of a service's health."""
        return docker("inspect", "--format", "{{.State.Health.Status}}", self.container(service))

    def expect_health(self, service: str, status: str, seconds: float) -> None:
        """Return when a service has reached a status."""
        wait_for(lambda: self.health(service) == status, f"{service} {status}", seconds)

    def execute(self, service: str, *command: str) -> str:
        """Run a command in a service's container; return what it printed."""
        return docker("exec", self.container(service), *command, timeout=300)

    def ask(self, query: str, variables: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Ask the web server by GraphQL."""
        request = urllib.request.Request(
            f"{self.url}/graphql",
            json.dumps({"query": query, "variables": variables or {}}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=120) as response:
            answer: dict[str, Any] = json.load(response)
        assert "errors" not in answer, answer
        return answer["data"]

    def location(self) -> dict[str, Any]:
        """Return the definitions that the web server shows, or why they did not load."""
        entries = self.ask(_LOCATION)["workspaceOrError"]["locationEntries"]
        assert [entry["name"] for entry in entries] == [LOCATION]
        loaded: dict[str, Any] = entries[0]["locationOrLoadError"] or {}
        return loaded

    def load_error(self) -> str:
        """Return what the web server shows instead of definitions; nothing if they did load."""
        return " ".join(cause["message"] for cause in self.location().get("causes", ()))

    def launch(self, day: str) -> str:
        """Launch a run that builds one day again, as the web page does; return its id.

        Just after a restart of the code server the page refuses it, for some seconds.
        """
        return wait_for(lambda: self._launched(day), "a run is launched", 120)

    def _launched(self, day: str) -> str | None:
        try:
            answer = self._ask_for_run(day)
        except OSError:
            return None
        return answer["run"]["runId"] if answer["__typename"] == "LaunchRunSuccess" else None

    def _ask_for_run(self, day: str) -> dict[str, Any]:
        launched: dict[str, Any] = self.ask(
            _LAUNCH,
            {
                "of": {
                    "selector": {
                        "repositoryLocationName": LOCATION,
                        "repositoryName": "__repository__",
                        "jobName": "process_delivery",
                    },
                    "runConfigData": {},
                    "executionMetadata": {
                        "tags": [
                            {"key": "dagster/partition", "value": day},
                            {"key": FORCE_TAG, "value": "true"},
                        ]
                    },
                }
            },
        )["launchPipelineExecution"]
        return launched

    def runs(self) -> dict[str, dict[str, Any]]:
        """Return all runs by their ids; none while the web server cannot say."""
        try:
            results = self.ask(_RUNS)["runsOrError"].get("results", [])
        except (OSError, ValueError, AssertionError):
            return {}
        return {run["runId"]: run for run in results}

    def status(self, run_id: str) -> str:
        """Return the status of a run; nothing while the web server cannot say."""
        return str(self.runs().get(run_id, {}).get("status", ""))

    def deliver(self, sample: Path, day: str) -> None:
        """Drop a delivery into the inputs folder."""
        if not (self.inputs / day).exists():
            show(Path(shutil.copytree(sample, self.inputs / day)))

    def settle(self, sample: Path, day: str) -> None:
        """Have a day processed by the sensor, the definitions loaded, and no run under way."""
        self.deliver(sample, day)
        wait_for(self.is_loaded, "the definitions are loaded", 180)
        wait_for(
            lambda: self.runs() and all(it["status"] in ENDED for it in self.runs().values()),
            "the sensor's run has ended",
            600,
        )

    def is_loaded(self) -> bool:
        """Say whether the web server shows the definitions."""
        return bool(self.location()["__typename"] == "RepositoryLocation")

    def described(self) -> str:
        """Return what the web server says of jobs and assets."""
        found = self.location().get("repositories", ())
        named = [it for repository in found for it in repository["jobs"] + repository["assetNodes"]]
        return " ".join(str(it["description"]) for it in named)

    def expect_status(self, run_id: str, wanted: tuple[str, ...], seconds: float) -> str:
        """Return the status of a run as soon as it is one of those that are wanted."""

        def look() -> str | None:
            status = self.status(run_id)
            return status if status in wanted else None

        return wait_for(look, f"run {run_id} {' or '.join(wanted)}", seconds)

    def page(self, path: str, name: str) -> str:
        """Return what a browser shows of a page; its picture is kept for people."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        picture = f"--screenshot={PICTURES / name}.png"
        # Another time, the same browser would show what it remembers.
        with tempfile.TemporaryDirectory() as folder:
            options = (picture, "--window-size=1600,1000")
            return browse(self.url + path, Path(folder), 30_000, *options)[0]

    def output(self, name: str) -> str:
        """Return the text of a published file."""
        return self.execute("dagster-user-code", "cat", f"/data/outputs/{name}")

    def down(self, *options: str) -> None:
        """Take the services down."""
        self.compose("down", *options)
