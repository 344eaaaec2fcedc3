"""Sign-in, roles, metrics and alerts on a real Docker engine, as docs/docker.md brings them up."""

import json
import re
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
import yaml

from lending_club_pipeline.defs.intents import FORCE_TAG
from tests.browser import Page
from tests.deployment.engine import docker
from tests.deployment.images import ROOT, programs
from tests.deployment.sites import GATEWAY, OBSERVABILITY, Site, site, written
from tests.deployment.stack import LOCATION, PICTURES, SERVICES, show, wait_for
from tests.operating.people import launch

pytestmark = pytest.mark.docker

_DAY = "2026-11-01"
_PUBLISHED = {
    "gateway": "LENDING_CLUB_GATEWAY_PORT",
    "prometheus": "LENDING_CLUB_PROMETHEUS_PORT",
    "alertmanager": "LENDING_CLUB_ALERTMANAGER_PORT",
}
_DOWNLOAD = "fetch('/outputs/account_summary.csv').then(it => it.ok ? it.text() : it.status)"


@pytest.fixture(scope="module")
def running(variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """All services, after a delivery."""
    with site(tmp_path_factory.mktemp("profiles"), {**variables, **programs()}) as found:
        found.services.settle(ROOT / "data" / "inputs", _DAY)
        yield found


def keep(page: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(PICTURES / f"profiles_{name}.png")


def build_again(page: Page) -> str:
    tags = {"dagster/partition": _DAY, FORCE_TAG: "true"}
    return launch(page, LOCATION, "process_delivery", **tags)


def test_all_services_are_published_on_loopback_alone(running: Site) -> None:
    services = running.services
    for service in (*SERVICES, *GATEWAY, *OBSERVABILITY):
        assert services.health(service) == "healthy"
        shown = "{{json .NetworkSettings.Ports}}"
        ports = json.loads(docker("inspect", "--format", shown, services.container(service)))
        bound = {
            (it["HostIp"], int(it["HostPort"])) for them in ports.values() for it in them or ()
        }
        expected = {"dagster-webserver": services.port}
        expected |= {name: running.ports[variable] for name, variable in _PUBLISHED.items()}
        assert bound == ({("127.0.0.1", expected[service])} if service in expected else set())


@pytest.mark.parametrize("service", [*GATEWAY, *OBSERVABILITY])
def test_containers_of_profiles_have_no_rights_to_lose(running: Site, service: str) -> None:
    services = running.services

    assert services.execute(service, "id", "-u") != "0"
    for rights in ("CapPrm", "CapEff", "CapBnd"):
        line = services.execute(service, "grep", rights, "/proc/1/status")
        assert line.split()[1] == "0000000000000000"
    said = services.execute(service, "sh", "-c", "touch /x 2>&1 || true")
    assert said.endswith("Read-only file system")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/jobs", None),
        ("/outputs/account_summary.csv", None),
        ("/graphql", b'{"query": "{ version }"}'),
    ],
)
def test_a_stranger_is_sent_to_sign_in(running: Site, path: str, body: bytes | None) -> None:
    status, leads_to, text = running.stranger(path, body)

    assert status in (302, 303)
    assert leads_to.startswith(f"{running.provider}/")
    assert "account_id" not in text
    assert "version" not in text


def test_who_is_in_no_group_is_refused(running: Site, tmp_path: Path) -> None:
    with running.signed_in("eve", tmp_path) as page:
        page.wait_for("/403|forbidden/i.test(document.body.innerText)")
        keep(page, "nobody")
        assert "account_id" not in str(page.run(_DOWNLOAD))


def test_a_viewer_looks_and_cannot_launch(running: Site, tmp_path: Path) -> None:
    with running.signed_in("vic", tmp_path) as page:
        page.wait_for("document.body.innerText.includes('process_delivery')")
        keep(page, "viewer")

        assert "UnauthorizedError" in build_again(page)
        assert len(str(page.run(_DOWNLOAD)).splitlines()) == 574

    said = [it for it in running.audit if it["user"] == "vic@example.com"]
    assert {it["role"] for it in said} == {"viewer"}
    (download,) = [it for it in said if it["uri"] == "/outputs/account_summary.csv"]
    assert (download["status"], download["bytes"] > 10_000) == (200, True)
    assert [it for it in said if "launchRun" in it["operation"]]


def test_an_operator_launches_a_run_that_has_their_name(running: Site, tmp_path: Path) -> None:
    with running.signed_in("ann", tmp_path) as page:
        page.wait_for("document.body.innerText.includes('process_delivery')")
        keep(page, "operator")
        run_id = json.loads(build_again(page))["data"]["launchRun"]["run"]["runId"]

    assert running.services.expect_status(run_id, ("SUCCESS",), 600)
    tags = running.services.runs()[run_id]["tags"]
    assert {"key": "user", "value": "ann@example.com"} in tags
    launches = [it for it in running.audit if "launchRun" in it["operation"]]
    assert {(it["user"], it["status"]) for it in launches if it["role"] == "operator"} == {
        ("ann@example.com", 200)
    }


def test_the_gateway_finds_web_servers_that_are_made_again(running: Site, tmp_path: Path) -> None:
    servers = ("dagster-webserver", "dagster-webserver-read-only")
    services = running.services
    with running.signed_in("vic", tmp_path) as page:
        page.wait_for("document.body.innerText.includes('process_delivery')")
        before = [services.address(it) for it in servers]
        by_address = sorted(servers, key=lambda it: ip_address(services.address(it)))
        services.compose("rm", "--stop", "--force", *servers)
        # The first gets the lowest free address: so they get one another's.
        for server in reversed(by_address):
            services.compose("up", "--detach", "--no-deps", "--no-build", server)
        services.expect_all_healthy(servers)
        assert [services.address(it) for it in servers] != before

        page.open(f"{running.url}/runs")
        wait_for(lambda: "UnauthorizedError" in build_again(page), "a viewer's web server", 60)

    with running.signed_in("ann", _made(tmp_path / "ann")) as page:
        assert "LaunchRunSuccess" in build_again(page)
    wait_for(services.is_loaded, "the definitions are loaded", 180)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_prometheus_knows_what_it_is_told(running: Site) -> None:
    def rows() -> object:
        found = running.prometheus(
            "query", query='lending_club_asset_rows{asset="account_summary"}'
        )
        return found["result"]

    (measured,) = wait_for(rows, "account_summary was measured", 120)
    assert measured["value"][1] == "573"
    targets = running.prometheus("targets")["activeTargets"]
    assert {it["labels"]["job"]: it["health"] for it in targets} == {
        "lending-club": "up",
        "alertmanager": "up",
    }
    delivered = yaml.safe_load((ROOT / "deploy" / "prometheus" / "rules.yml").read_text())
    loaded = running.prometheus("rules")["groups"]
    assert {it["name"] for it in loaded} == {it["name"] for it in delivered["groups"]}
    assert {rule["health"] for group in loaded for rule in group["rules"]} == {"ok"}
    (manager,) = running.prometheus("alertmanagers")["activeAlertmanagers"]
    assert manager["url"] == "http://alertmanager:9093/api/v2/alerts"


def test_the_rehearsal_of_the_page_reaches_everybody(running: Site) -> None:
    rehearsal = written("console").splitlines()[1]

    said = running.services.shell(rehearsal)

    assert "DeliveryRefused" in said
    assert running.hooks.of("/v2/enqueue")
    assert running.hooks.of("/slack")
    assert running.mails.messages


def test_a_refused_delivery_is_told_by_the_sensor(running: Site) -> None:
    folder = running.services.inputs / "2026-11-02"
    folder.mkdir()
    (folder / "Customer.csv").write_text("no,header,of,ours\n")
    (folder / "accounts.csv").write_text("no,header,of,ours\n")
    show(folder)

    alert = wait_for(lambda: running.alerts().get("DeliveryRefused"), "it is told", 300)

    assert re.search("2026-11-02", alert["annotations"]["summary"])
    assert alert["annotations"]["link"].startswith(f"{running.url}/runs/")
    wait_for(
        lambda: [it for it in running.hooks.of("/slack") if "2026-11-02" in json.dumps(it)],
        "Slack has it",
        60,
    )


def test_prometheus_tells_that_nobody_watches(running: Site) -> None:
    running.services.compose("stop", "metrics")
    try:
        alert = wait_for(lambda: running.alerts().get("NobodyWatches"), "it is told", 300)
    finally:
        running.services.compose("start", "metrics")

    assert {it["name"] for it in alert["receivers"]} == {"pagerduty", "slack"}
