"""Dagster's chart with our values: what comes out fits the schemas, and has no rights to lose.

Needs `helm`, and the chart: `DAGSTER_CHART` names its folder, else it is pulled.
"""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.deployment.chart import chart

pytestmark = pytest.mark.kubernetes

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy" / "kubernetes"
VERSION = "1.37"
_IMAGE = "dagster-user-deployments.deployments[0].image"


def options(tag: str) -> tuple[str, ...]:
    """Return the options of a release with our values and an image of this tag."""
    return (
        *("--namespace", "lending-club"),
        *("--values", str(DEPLOY / "values.yaml")),
        *("--values", str(DEPLOY / "site.example.yaml")),
        *("--set", f"{_IMAGE}.repository=registry.example.com/lending-club-pipeline"),
        *("--set", f"{_IMAGE}.tag={tag}", "--set", f"{_IMAGE}.pullPolicy=IfNotPresent"),
    )


def helm(chart: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Render the chart with our values, after Helm has held them against the chart's schema."""
    return subprocess.run(
        [
            *("helm", "template", "lending-club", str(chart), *options("0.1.0")),
            *("--kube-version", f"{VERSION}.0"),
            *("--api-versions", "networking.k8s.io/v1/Ingress", *more),
        ],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def dagsters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("helm") is None:
        pytest.fail("helm is not installed")
    return chart(tmp_path_factory.mktemp("chart"), VERSION)


@pytest.fixture(scope="module")
def rendered(dagsters: Path) -> list[dict[str, Any]]:
    done = helm(dagsters)
    assert done.returncode == 0, done.stderr
    return [it for it in yaml.safe_load_all(done.stdout) if it]


def of(rendered: list[dict[str, Any]], kind: str, part: str = "") -> list[dict[str, Any]]:
    return [it for it in rendered if it["kind"] == kind and part in it["metadata"]["name"]]


def without_nulls(value: object) -> Any:
    """Leave out what the cluster's server leaves out."""
    if isinstance(value, dict):
        return {name: without_nulls(it) for name, it in value.items() if it is not None}
    return [without_nulls(it) for it in value] if isinstance(value, list) else value


def pods(rendered: list[dict[str, Any]]) -> list[dict[str, Any]]:
    deployments = [it["spec"]["template"]["spec"] for it in of(rendered, "Deployment")]
    return deployments + [it["spec"] for it in of(rendered, "Pod")]


@pytest.mark.parametrize(
    ("misspelt", "named"),
    [
        (
            "dagsterDaemon.runCoordinator.config.queuedRunCoordinator.maxConcurrentRun=1",
            "maxConcurrentRun",
        ),
        (f"{_IMAGE}.pullPolicy=Sometimes", "pullPolicy"),
    ],
)
def test_a_misspelt_value_is_refused_by_the_charts_schema(
    dagsters: Path, misspelt: str, named: str
) -> None:
    done = helm(dagsters, "--set", misspelt)

    assert done.returncode != 0
    assert named in done.stderr


def test_everything_fits_the_schema(rendered: list[dict[str, Any]]) -> None:
    for manifest in rendered:
        kubernetes_validate.validate(without_nulls(manifest), VERSION, strict=True)


def test_no_container_has_rights_an_open_tag_or_no_bound(rendered: list[dict[str, Any]]) -> None:
    assert len(pods(rendered)) == 5
    for pod in pods(rendered):
        for container in (*pod["containers"], *pod.get("initContainers", ())):
            rights = container["securityContext"]
            assert rights["runAsNonRoot"] is True
            assert rights["allowPrivilegeEscalation"] is False
            assert rights["readOnlyRootFilesystem"] is True
            assert rights["capabilities"] == {"drop": ["ALL"]}
            assert not container["image"].endswith(("latest", ":"))
            assert container["resources"]["limits"]["memory"]


def test_code_and_runs_have_an_account_without_rights(rendered: list[dict[str, Any]]) -> None:
    bound = {subject["name"] for it in of(rendered, "RoleBinding") for subject in it["subjects"]}
    code = next(
        it for it in of(rendered, "Deployment") if "user-deployments" in str(it["metadata"])
    )

    assert code["spec"]["template"]["spec"]["serviceAccountName"] == "lending-club-code"
    assert "lending-club-code" not in bound


def test_the_history_is_the_managed_server_over_tls(rendered: list[dict[str, Any]]) -> None:
    text = of(rendered, "ConfigMap", "instance")[0]["data"]["dagster.yaml"]
    instance = yaml.safe_load(text)

    database = instance["run_storage"]["config"]["postgres_db"]
    assert database["hostname"] == "postgres.example.com"
    assert database["scheme"] == "postgresql+psycopg2"
    assert database["params"]["sslmode"] == "verify-full"
    assert database["password"] == {"env": "DAGSTER_PG_PASSWORD"}
    assert instance["run_launcher"]["class"] == "K8sRunLauncher"
    assert instance["run_coordinator"]["config"]["max_concurrent_runs"] == 1
    assert not of(rendered, "StatefulSet")


def test_viewers_have_a_web_server_that_only_reads(rendered: list[dict[str, Any]]) -> None:
    server = of(rendered, "Deployment", "read-only")[0]

    assert "--read-only" in str(server["spec"]["template"]["spec"]["containers"][0]["command"])


def test_the_names_of_the_network_policies_are_those_of_the_chart(
    rendered: list[dict[str, Any]],
) -> None:
    parts = {
        it["spec"]["template"]["metadata"]["labels"]["component"]
        for it in of(rendered, "Deployment")
    }

    policies = (DEPLOY / "base" / "network.yaml").read_text()
    assert all(part in policies for part in parts)
    assert of(rendered, "Service", "lending-club-dagster-webserver")
