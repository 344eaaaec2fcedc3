"""Our objects and Dagster's chart on a real API server: taken, upgraded, rolled back; a run."""

import json
import shutil
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deployment.api_server import Cluster, api_server
from tests.deployment.chart import chart
from tests.deployment.test_kubernetes import DEPLOY, VERSION, options
from tests.operating.people import LAUNCH
from tests.operating.programs import answers, free_port, started, wait_for

pytestmark = pytest.mark.kubernetes

_NAMESPACE = "lending-club"
_IN_IT = ("--namespace", _NAMESPACE)
_CODE, _DAGSTER = "lending-club-code", "lending-club-dagster"
_CODE_SERVER = "lending-club-dagster-user-deployments-lending-club"
_LOADED = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }"


@dataclass(frozen=True)
class Release:
    """The chart, installed with our values beside our own objects.

    Attributes:
        cluster: the API server.
        chart: folder of the chart.
    """

    cluster: Cluster
    chart: Path

    def install(self, tag: str) -> None:
        """Install it, or upgrade it, with an image."""
        command = ("helm", "upgrade", "--install", _NAMESPACE, str(self.chart))
        self.cluster.do(*command, *options(tag))

    def image(self) -> str:
        """Return the image of the code server."""
        found = self.cluster.get("deployment", _CODE_SERVER, *_IN_IT)
        return str(found["spec"]["template"]["spec"]["containers"][0]["image"])


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    if shutil.which("helm") is None:
        pytest.fail("helm is not installed")
    folder = tmp_path_factory.mktemp("cluster")
    with api_server(folder) as cluster:
        for part in (DEPLOY / "base", DEPLOY.parent / "gateway"):
            cluster.do("kubectl", "apply", "--kustomize", str(part))
        # A controller makes it in a whole cluster.
        cluster.do("kubectl", "create", "serviceaccount", "default", *_IN_IT)
        installed = Release(cluster, chart(folder, VERSION))
        installed.install("0.1.0")
        yield installed


def _templates(release: Release) -> dict[str, dict[str, Any]]:
    found = release.cluster.get("deployments", *_IN_IT)["items"]
    return {it["metadata"]["name"]: it["spec"]["template"] for it in found}


def _pod(name: str, template: dict[str, Any]) -> str:
    """Return a pod as the cluster's controllers make it from a template."""
    labels = template["metadata"].get("labels", {})
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": _NAMESPACE, "labels": labels},
        "spec": template["spec"],
    }
    return json.dumps(pod)


def _may(cluster: Cluster, account: str, verb: str, what: str) -> bool:
    subject = f"system:serviceaccount:{_NAMESPACE}:{account}"
    asked = ("kubectl", "auth", "can-i", verb, *what.split(), "--as", subject, *_IN_IT)
    return cluster.run(*asked).stdout.strip() == "yes"


def test_the_server_takes_every_object_and_every_pod_of_it(release: Release) -> None:
    templates = _templates(release)

    assert len(templates) == 5
    for name, template in templates.items():
        given = _pod(f"{name[-40:].strip('-')}-test", template)
        release.cluster.do("kubectl", "create", "--filename", "-", given=given)


def test_a_pod_with_more_rights_is_refused(release: Release) -> None:
    template = _templates(release)[_CODE_SERVER]
    template["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True

    refused = release.cluster.run(
        "kubectl", "create", "--filename", "-", given=_pod("privileged", template)
    )

    assert refused.returncode != 0
    assert "violates PodSecurity" in refused.stderr


@pytest.mark.parametrize(
    ("account", "verb", "what", "allowed"),
    [
        (_DAGSTER, "create", "jobs.batch", True),
        (_DAGSTER, "delete", "jobs.batch", True),
        (_DAGSTER, "list", "pods", True),
        (_DAGSTER, "get", "secrets", False),
        (_DAGSTER, "create", "pods --subresource=exec", False),
        (_DAGSTER, "update", "deployments.apps", False),
        (_CODE, "create", "jobs.batch", False),
        (_CODE, "list", "pods", False),
        (_CODE, "get", "secrets", False),
        (_CODE, "get", "configmaps", False),
    ],
)
def test_accounts_may_do_what_they_need(
    release: Release, account: str, verb: str, what: str, allowed: bool
) -> None:
    assert _may(release.cluster, account, verb, what) is allowed


def test_an_upgrade_is_rolled_back_and_keeps_runs(release: Release) -> None:
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "dagster-run-test", "namespace": _NAMESPACE},
        "spec": {"template": _templates(release)[_CODE_SERVER]},
    }
    job["spec"]["template"]["spec"]["restartPolicy"] = "Never"  # type: ignore[index]
    release.cluster.do("kubectl", "create", "--filename", "-", given=json.dumps(job))
    before = release.image()

    release.install("0.2.0")
    after = release.image()
    release.cluster.do("helm", "rollback", _NAMESPACE, *_IN_IT)

    assert (before.rpartition(":")[2], after.rpartition(":")[2]) == ("0.1.0", "0.2.0")
    assert release.image() == before
    assert release.cluster.get("job", "dagster-run-test", *_IN_IT)["spec"]
    release.cluster.do("kubectl", "delete", "job", "dagster-run-test", *_IN_IT)


@contextmanager
def _page(release: Release, folder: Path) -> Iterator[str]:
    """Serve Dagster's page from here, with queue, launcher and code server of the release."""
    server = release.cluster.get("deployment", _CODE_SERVER, *_IN_IT)
    (container,) = server["spec"]["template"]["spec"]["containers"]
    settings = release.cluster.get("configmap", "lending-club", *_IN_IT)["data"]
    literal = {it["name"]: it["value"] for it in container["env"] if "value" in it}
    instance = release.cluster.get("configmap", "lending-club-dagster-instance", *_IN_IT)
    found = yaml.safe_load(instance["data"]["dagster.yaml"])
    kept = {name: found[name] for name in ("run_launcher", "run_coordinator")}
    kept["run_launcher"]["config"] |= {
        "load_incluster_config": False,
        "kubeconfig_file": str(release.cluster.config),
    }
    home, port, code_port = folder / "home", free_port(), free_port()
    home.mkdir()
    (home / "dagster.yaml").write_text(yaml.safe_dump(kept))
    place = {"host": "127.0.0.1", "port": code_port, "location_name": "lending-club"}
    (folder / "workspace.yaml").write_text(yaml.safe_dump({"load_from": [{"grpc_server": place}]}))
    environment = {
        **literal,
        **settings,
        "DAGSTER_HOME": str(home),
        "DELIVERY_SENSOR": "stopped",
        "DATABRICKS_TOKEN": "nothing-runs",
        "LANDING_PATH": str(folder / "landing"),
        "DAGSTER_POSTGRES_HOST": "",
    }
    given = [it for it in container["args"][3:] if it not in {"-h", "0.0.0.0", "-p", "4000"}]  # noqa: S104 - not listened on
    code = [sys.executable, "-m", "dagster", "api", "grpc", "-h", "127.0.0.1", *given]
    page = [sys.executable, "-m", "dagster_webserver", "-h", "127.0.0.1", "-p", str(port)]
    daemon = [str(Path(sys.executable).with_name("dagster-daemon")), "run"]
    url = f"http://127.0.0.1:{port}"
    with ExitStack() as running:
        code_log = folder / "code.log"
        running.enter_context(
            started(
                [*code, "-p", str(code_port)],
                lambda: b"Started Dagster code server" in code_log.read_bytes(),
                code_log,
                seconds=180,
                environment=environment,
            )
        )
        running.enter_context(
            started(
                [*page, "-w", str(folder / "workspace.yaml")],
                answers(f"{url}/server_info"),
                folder / "page.log",
                seconds=180,
                environment=environment,
            )
        )
        running.enter_context(
            started(
                [*daemon, "-w", str(folder / "workspace.yaml")],
                (folder / "daemon.log").exists,
                folder / "daemon.log",
                environment=environment,
            )
        )
        yield url


def _ask(url: str, query: str, **variables: object) -> dict[str, Any]:
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(
        f"{url}/graphql", data=body, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        return dict(json.loads(answer.read())["data"])


def test_a_run_becomes_a_job_that_the_namespace_accepts(release: Release, tmp_path: Path) -> None:
    selector = {
        "repositoryLocationName": "lending-club",
        "repositoryName": "__repository__",
        "jobName": "process_delivery",
    }
    tags = [{"key": "dagster/partition", "value": "2026-01-31"}]
    params = {"selector": selector, "runConfigData": {}, "executionMetadata": {"tags": tags}}
    with _page(release, tmp_path) as url:
        wait_for(
            lambda: _ask(url, _LOADED)["repositoriesOrError"].get("nodes"), 120, "definitions", 1
        )
        run_id = _ask(url, LAUNCH, params=params)["launchRun"]["run"]["runId"]
        which = ("jobs", "--selector", f"dagster/run-id={run_id}", *_IN_IT)
        wait_for(lambda: release.cluster.get(*which)["items"], 120, "the run's job", 1)

    (job,) = release.cluster.get(*which)["items"]
    template = job["spec"]["template"]
    (container,) = template["spec"]["containers"]
    assert job["spec"]["backoffLimit"] == 0
    assert job["spec"]["ttlSecondsAfterFinished"] == 86400
    assert template["metadata"]["labels"]["lending-club/part"] == "code"
    assert template["spec"]["serviceAccountName"] == _CODE
    assert template["spec"]["terminationGracePeriodSeconds"] == 120
    assert container["image"] == release.image()
    assert container["resources"]["limits"]["memory"] == "3Gi"
    assert {"secretRef": {"name": "lending-club-databricks"}} in container["envFrom"]
    assert {"configMapRef": {"name": "lending-club"}} in container["envFrom"]
    release.cluster.do("kubectl", "create", "--filename", "-", given=_pod("run", template))
