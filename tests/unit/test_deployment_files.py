"""What compose.yaml, the image and the manifests promise, without an engine or a cluster."""

import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from lending_club_pipeline.config.problems import unknown_in_file
from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.defs.code_server import LOCATION, MODULE

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
VALUES = yaml.safe_load((KUBERNETES / "values.yaml").read_text())
CODE = VALUES["dagster-user-deployments"]["deployments"][0]
MANIFESTS = [
    document
    for path in sorted((KUBERNETES / "base").glob("*.yaml"))
    if path.name != "kustomization.yaml"
    for document in yaml.safe_load_all(path.read_text())
]
GATEWAY = list(yaml.safe_load_all((DEPLOY / "gateway" / "kubernetes.yaml").read_text()))
# The versions of Kubernetes that had support when this was written, and the newest.
VERSIONS = ("1.34", "1.37")


def containers() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Yield each pod of the values by name, with its pod's and its container's rights."""
    launcher = VALUES["runLauncher"]["config"]["k8sRunLauncher"]["runK8sConfig"]
    test = VALUES["extraManifests"][0]["spec"]
    for name, values in (
        ("web server", VALUES["dagsterWebserver"]),
        ("daemon", VALUES["dagsterDaemon"]),
        ("code", CODE),
    ):
        yield name, values["podSecurityContext"], values["securityContext"]
    yield (
        "runs",
        launcher["podSpecConfig"]["securityContext"],
        launcher["containerConfig"]["securityContext"],
    )
    yield "test", test["securityContext"], test["containers"][0]["securityContext"]


def test_compose_has_the_four_services_and_two_profiles() -> None:
    by_profile: dict[str, set[str]] = {}
    for name, service in SERVICES.items():
        (profile,) = service.get("profiles", [""])
        by_profile.setdefault(profile, set()).add(name)

    assert by_profile == {
        "": {"dagster-webserver", "dagster-daemon", "dagster-user-code", "postgres"},
        "gateway": {"gateway", "dagster-webserver-read-only", "oauth2-proxy"},
        "observability": {"metrics", "prometheus", "alertmanager"},
    }


def test_only_pages_are_published_on_loopback() -> None:
    published = {name: it["ports"] for name, it in SERVICES.items() if "ports" in it}

    assert published == {
        "dagster-webserver": ["127.0.0.1:${LENDING_CLUB_PORT:-3000}:3000"],
        "gateway": ["127.0.0.1:${LENDING_CLUB_GATEWAY_PORT:-8080}:8080"],
        "prometheus": ["127.0.0.1:${LENDING_CLUB_PROMETHEUS_PORT:-9090}:9090"],
        "alertmanager": ["127.0.0.1:${LENDING_CLUB_ALERTMANAGER_PORT:-9093}:9093"],
    }


def test_the_names_that_configurations_lead_to_are_those_of_services() -> None:
    gateway = (DEPLOY / "gateway" / "nginx.conf").read_text()
    prometheus = (DEPLOY / "prometheus" / "prometheus.yml").read_text()
    led_to = set(re.findall(r"server ([a-z][\w-]+):\d+;", gateway))
    led_to |= set(re.findall(r"targets: \[([a-z]+):\d+\]", prometheus))

    assert led_to == {
        "dagster-webserver",
        "dagster-webserver-read-only",
        "oauth2-proxy",
        "alertmanager",
        "metrics",
    }
    assert led_to <= SERVICES.keys()


def test_the_gateway_of_a_cluster_is_that_of_compose() -> None:
    by_name = {f"{it['kind']}/{it['metadata']['name']}": it for it in GATEWAY}
    pod = by_name["Deployment/lending-club-gateway"]["spec"]["template"]["spec"]
    kustomization = yaml.safe_load((DEPLOY / "gateway" / "kustomization.yaml").read_text())
    mounted = {
        Path(it.partition(":")[0]).name
        for name in ("gateway", "oauth2-proxy")
        for it in SERVICES[name]["volumes"]
        if it.startswith("./deploy/gateway/")
    }

    (files,) = (it["files"] for it in kustomization["configMapGenerator"])
    # In a cluster, services keep their addresses.
    assert {*files} == mounted - {"start.sh"} == {"nginx.conf", "oauth2-proxy.cfg"}
    assert [it["image"] for it in pod["containers"]] == [
        re.sub(r".*:-(.*)}", r"\1", SERVICES[name]["image"]) for name in ("gateway", "oauth2-proxy")
    ]
    upstreams = {"dagster-webserver", "dagster-webserver-read-only", "oauth2-proxy"}
    assert {f"Service/{it}" for it in upstreams} <= by_name.keys()
    assert VALUES["ingress"] == {"enabled": False}
    assert pod["securityContext"]["runAsNonRoot"] is True
    for container in pod["containers"]:
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["securityContext"]["readOnlyRootFilesystem"] is True


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_has_a_health_check_bounds_and_no_rights(name: str) -> None:
    service = SERVICES[name]

    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["restart"] == "unless-stopped"
    assert name == "postgres" or service["read_only"] is True


def test_no_password_is_written_down() -> None:
    for name, service in SERVICES.items():
        for variable, value in service["environment"].items():
            is_secret = "PASSWORD" in variable or "SECRET" in variable.removeprefix("SECRETS_DIR")
            is_secret = is_secret and not variable.endswith("_FILE") and not value.startswith("${")
            assert not is_secret, (name, variable, value)


def test_images_are_variables_and_have_versions() -> None:
    for service in SERVICES.values():
        assert re.fullmatch(r"\$\{\w+:-[\w/.-]+:[\w.-]+\}", service["image"])
        assert ":latest" not in service["image"]


def test_no_default_holds_a_variable() -> None:
    """Compose of version 1 takes the first brace for the end."""
    assert not re.findall(r"\$\{[^}]*\$\{", (ROOT / "compose.yaml").read_text())


def test_what_compose_reads_may_stand_in_the_file_that_settings_share_with_it() -> None:
    names = set(re.findall(r"\$\{(\w+)", (ROOT / "compose.yaml").read_text()))

    assert {"INPUTS", "OUTPUTS", "NGINX_IMAGE", "DAGSTER_URL"} <= names
    assert unknown_in_file(names, DataPlatformConfig.variables()) == []


def test_settings_in_the_deployments_exist() -> None:
    known = {*DataPlatformConfig.variables()}
    others = {"SECRETS_DIR", "PYTHONPATH", "POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD_FILE"}
    in_compose = {name for service in SERVICES.values() for name in service["environment"]}
    in_compose -= {name for name in in_compose if name.startswith("OAUTH2_PROXY_")}
    in_values = {item["name"] for item in CODE["env"]}
    in_map = next(it["data"].keys() for it in MANIFESTS if it["kind"] == "ConfigMap")
    in_image = set(re.findall(r"\b([A-Z_]+)=", (DEPLOY / "docker" / "Dockerfile").read_text())) & {
        name for name in known if not name.startswith("DBT")
    }

    assert in_compose <= known | others
    assert in_values | in_map <= known
    assert in_image == {"DAGSTER_HOME", "INPUT_PATH", "OUTPUT_PATH", "DUCKDB_PATH"}


def test_the_code_location_has_one_name_everywhere() -> None:
    workspace = yaml.safe_load((DEPLOY / "docker" / "workspace.yaml").read_text())

    assert workspace["load_from"][0]["grpc_server"]["location_name"] == LOCATION
    assert CODE["name"] == LOCATION
    assert CODE["dagsterApiGrpcArgs"] == ["-m", MODULE]


def test_the_history_is_reached_by_the_driver_that_is_installed() -> None:
    assert VALUES["postgresql"]["postgresqlScheme"] == "postgresql+psycopg2"
    assert VALUES["postgresql"]["postgresqlParams"]["sslmode"] == "verify-full"
    assert VALUES["postgresql"]["enabled"] is False


def test_kubernetes_runs_on_databricks_and_one_run_at_a_time() -> None:
    assert {"name": "DATABASE_TYPE", "value": "databricks"} in CODE["env"]
    coordinator = VALUES["dagsterDaemon"]["runCoordinator"]["config"]["customRunCoordinator"]
    local = yaml.safe_load((ROOT / "src/lending_club_pipeline/defs/dagster.yaml").read_text())
    most = local["concurrency"]["runs"]["max_concurrent_runs"]
    assert coordinator["config"].pop("max_concurrent_runs") == most
    # Who started a run is known there as well.
    assert coordinator == local["run_coordinator"]


@pytest.mark.parametrize(
    ("name", "pod", "container"), list(containers()), ids=lambda it: str(it)[:12]
)
def test_no_pod_has_rights_to_lose(
    name: str, pod: dict[str, Any], container: dict[str, Any]
) -> None:
    assert pod["runAsNonRoot"] is True
    assert pod["runAsUser"] == 10001
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["allowPrivilegeEscalation"] is False
    assert container["readOnlyRootFilesystem"] is True
    assert container["capabilities"] == {"drop": ["ALL"]}


def test_code_and_runs_have_no_rights_in_the_cluster() -> None:
    account = VALUES["dagster-user-deployments"]["serviceAccount"]["name"]
    ours = next(it for it in MANIFESTS if it["kind"] == "ServiceAccount")

    assert ours["metadata"]["name"] == account
    assert ours["automountServiceAccountToken"] is False
    assert VALUES["dagster-user-deployments"]["rbacEnabled"] is False
    assert not [it for it in MANIFESTS if it["kind"] in ("Role", "RoleBinding", "ClusterRole")]


def test_everything_is_denied_that_no_policy_allows() -> None:
    policies = {
        it["metadata"]["name"]: it["spec"] for it in MANIFESTS if it["kind"] == "NetworkPolicy"
    }

    assert policies["deny-all"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    ports = {
        port["port"]
        for spec in policies.values()
        for rule in (*spec.get("ingress", ()), *spec.get("egress", ()))
        for port in rule["ports"]
    }
    assert ports == {53, 443, 3000, 4000, 5432, 6443}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "manifest", [*MANIFESTS, *GATEWAY], ids=lambda it: f"{it['kind']}/{it['metadata']['name']}"
)
def test_manifests_fit_the_schema(manifest: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


def test_the_kustomization_names_every_file() -> None:
    named = yaml.safe_load((KUBERNETES / "base" / "kustomization.yaml").read_text())["resources"]

    assert {*named, "kustomization.yaml"} == {it.name for it in (KUBERNETES / "base").iterdir()}


def test_the_chart_has_the_version_of_dagster() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    version = next(it["version"] for it in lock["package"] if it["name"] == "dagster")

    page = (ROOT / "docs" / "kubernetes.md").read_text()
    assert set(re.findall(r"--version (\S+)", page)) == {version}


def test_a_cluster_serves_no_definitions_of_duckdb(tmp_path: Path) -> None:
    started = subprocess.run(
        ["sh", str(DEPLOY / "docker" / "entrypoint.sh"), "dagster", "api", "grpc"],
        env={"PATH": os.defpath, "KUBERNETES_SERVICE_HOST": "10.0.0.1", "DAGSTER_HOME": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )

    assert started.returncode == 2
    assert started.stderr.startswith("Error: DATABASE_TYPE=duckdb keeps its database in a file")
    assert started.stderr.count("\n") == 1


def test_an_empty_base_of_the_build_stage_is_that_of_the_image() -> None:
    """Compose of version 1 gives an empty one if the variable is not set."""
    assert SERVICES["dagster-webserver"]["build"]["args"]["BUILD_IMAGE"] is None
    dockerfile = (DEPLOY / "docker" / "Dockerfile").read_text()
    assert "FROM ${BUILD_IMAGE:-${PYTHON_IMAGE}} AS build" in dockerfile


def test_the_image_builds_with_both_builders() -> None:
    text = (DEPLOY / "docker" / "Dockerfile").read_text()

    for only_buildkit in ("--mount", "<<", "# syntax", "--chmod", "--link"):
        assert only_buildkit not in text.replace("`RUN --mount`", "").replace("`# syntax`", "")
    assert "latest" not in text
