"""Everybody through the gateway, with a real browser: sign-in, both webservers, what is refused.

nginx and oauth2-proxy with the files that we deliver, an OpenID Connect provider, two webservers of
Dagster's, its daemon. Screenshots are kept where SCREENSHOTS names a folder.
"""

import datetime as dt
import json
import os
import secrets
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import pytest
from dagster import DagsterInstance, RunsFilter

from databricks_stand_in.certificates import make_certificates
from lending_club_pipeline.defs.instance import open_instance
from tests.browser import Page
from tests.operating.gateways import nginx
from tests.operating.people import BUTTON, identity_provider, launch, signed_in
from tests.operating.programs import DEPLOY, answers, free_port, program, started, wait_for
from tests.operating.webservers import MODULE, daemon, webserver
from tests.workspaces import Workspace

pytestmark = pytest.mark.operations
CANARY, SECRET = "Zebulon Canaryworth", "client-secret-canary-4711"
NEXT: Final = dt.date(2026, 2, 1)
LAUNCHPAD: Final = f"{{}}/locations/{MODULE}/jobs/drop_expired_data/playground"
LOADED: Final = "/The result of the pipeline/.test(document.body.innerText)"


@dataclass(frozen=True)
class Site:
    """The gateway, as people reach it.

    Attributes:
        url: its address.
        provider: that of the identity provider, another site.
        log: the audit log.
        space: what is behind it.
    """

    url: str
    provider: str
    log: Path
    space: Workspace

    @property
    def audit(self) -> list[dict[str, object]]:
        lines = self.log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    @contextmanager
    def history(self) -> Iterator[DagsterInstance]:
        with open_instance(self.space.root / "dagster") as instance:
            yield instance


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    for needed in ("nginx", "oauth2-proxy", "chromium"):
        program(needed)
    space = _with_a_held_delivery(Workspace(tmp_path_factory.mktemp("sign-in")))
    folder = space.root / "gateway"
    folder.mkdir()
    make_certificates(folder)
    port, proxy = free_port(), free_port()
    url = f"https://localhost:{port}"
    with ExitStack() as stack:
        operator = stack.enter_context(webserver(space))
        viewer = stack.enter_context(webserver(space, "--read-only"))
        issuer = stack.enter_context(identity_provider(folder))
        stack.enter_context(_oauth2_proxy(folder, proxy, url, issuer))
        certificate = (
            f"ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.pem"
        )
        upstreams = {
            "dagster-webserver:3000": int(operator.rpartition(":")[2]),
            "dagster-webserver-read-only:3001": int(viewer.rpartition(":")[2]),
            "oauth2-proxy:4180": proxy,
        }
        listen = f"127.0.0.1:{port} ssl; {certificate}"
        log = stack.enter_context(nginx(folder, listen, upstreams, space.outputs, "https"))
        yield Site(url, issuer, log, space)


def _with_a_held_delivery(space: Workspace) -> Workspace:
    space.deliver(f"1,{CANARY},Yes\n", "A,1,100.00,Savings\n")
    assert space.run().outcome == "success"
    space.deliver(f"1,{CANARY},Yes\n", "A,1,100.00,Savings\nB,1,1.00,Savings\n", NEXT)
    assert space.run(NEXT, movement_limits="accounts=5").outcome == "held"
    return space


@contextmanager
def _oauth2_proxy(folder: Path, port: int, site: str, issuer: str) -> Iterator[None]:
    delivered = (DEPLOY / "gateway" / "oauth2-proxy.cfg").read_text()
    ours = {
        "https://login.example.com": issuer,
        "https://pipeline.example.com": site,
        "0.0.0.0:4180": f"127.0.0.1:{port}",
    }
    for name, value in ours.items():
        assert name in delivered
        delivered = delivered.replace(name, value)
    assert tomllib.loads(delivered)["cookie_secure"]
    file = folder / "oauth2-proxy.cfg"
    file.write_text(delivered)
    given = {
        "OAUTH2_PROXY_CLIENT_SECRET": SECRET,
        "OAUTH2_PROXY_COOKIE_SECRET": secrets.token_urlsafe(32),
    }
    command = [program("oauth2-proxy"), f"--config={file}"]
    ready = answers(f"http://127.0.0.1:{port}/ping")
    with started(command, ready, folder / "oauth2-proxy.log", environment=given):
        yield


def keep(page: Page, name: str) -> None:
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        page.screenshot(Path(folder) / f"{name}.png")


def test_a_viewer_looks_and_cannot_launch(site: Site, tmp_path: Path) -> None:
    with signed_in(site.url, site.provider, "vic", tmp_path) as page:
        page.wait_for("document.body.innerText.includes('process_delivery')")
        keep(page, "viewer-jobs")
        page.open(LAUNCHPAD.format(site.url))
        # Dagster leads away from it.
        page.wait_for(
            "!/playground/.test(location.href) && /Launchpad/.test(document.body.innerText)"
        )
        keep(page, "viewer-launchpad")
        assert not page.run(f"{BUTTON.format('Launch run')} && 1")
        page.open(f"{site.url}/assets/account_summary")
        page.wait_for(f"{LOADED} && {BUTTON.format('Materialize')} && 1")
        keep(page, "viewer-asset")
        assert page.run(f"{BUTTON.format('Materialize')}.disabled")

        assert "UnauthorizedError" in launch(page, MODULE, "drop_expired_data")
        assert page.run("fetch('/outputs/account_summary.csv').then(it => it.status)") == 200
    tried = [it for it in site.audit if it["user"] == "vic@example.com"]
    assert {it["role"] for it in tried if "launchRun" in str(it["operation"])} == {"viewer"}


def test_who_is_in_no_group_gets_no_further_than_the_sign_in(site: Site, tmp_path: Path) -> None:
    with signed_in(site.url, site.provider, "eve", tmp_path) as page:
        page.wait_for("/403|forbidden/i.test(document.body.innerText)")
        keep(page, "nobody")
        assert "process_delivery" not in page.run("document.body.innerText")
        assert page.run("fetch('/outputs/account_summary.csv').then(it => it.url)") != (
            f"{site.url}/outputs/account_summary.csv"
        )


def test_what_another_site_makes_an_operators_browser_send_is_refused(
    site: Site, tmp_path: Path
) -> None:
    with site.history() as instance:
        before = len(instance.get_runs())
    with signed_in(site.url, site.provider, "ann", tmp_path) as page:
        page.wait_for("document.body.innerText.includes('process_delivery')")
        page.open(LAUNCHPAD.format(site.url))
        page.wait_for(f"!{BUTTON.format('Launch run')}.disabled")
        keep(page, "operator-launchpad")
        # Otherwise a viewer's button might be disabled because something is still loaded.
        page.open(f"{site.url}/assets/account_summary")
        page.wait_for(f"{LOADED} && !{BUTTON.format('Materialize')}.disabled")
        # A link, which a browser follows with the cookie.
        page.open(f"{site.url}/graphql?query=mutation+%7B+x+%7D")
        page.wait_for("document.body.innerText.includes('403')")
        keep(page, "forged-link")
        # A page of another site.
        page.open(f"{site.provider}/.well-known/openid-configuration")
        page.wait_for(f"location.origin === '{site.provider}'")
        address = site.url.replace("https:", "wss:")
        ended = page.run(
            f"new Promise(end => {{ const it = new WebSocket('{address}/graphql', 'graphql-ws');"
            "it.onopen = () => end('open'); it.onclose = () => end('closed') })"
        )
        assert ended == "closed"
        page.run(
            f"fetch('{site.url}/graphql', {{method: 'POST', mode: 'no-cors', "
            "credentials: 'include', body: 'query=mutation'})"
        )
    refused = [it for it in site.audit if it["status"] == 403 and "graphql" in str(it["uri"])]
    assert {(it["method"], it["origin"]) for it in refused} >= {
        ("GET", ""),
        ("GET", site.provider),
        ("POST", site.provider),
    }
    with site.history() as instance:
        assert len(instance.get_runs()) == before


def test_an_approval_by_the_web_carries_who_signed_in(site: Site, tmp_path: Path) -> None:
    config = {
        "ops": {
            "approve_held_delivery": {
                "config": {"as_of_date": NEXT.isoformat(), "reason": "a merger"}
            }
        }
    }
    with signed_in(site.url, site.provider, "ann", tmp_path) as page:
        # Whoever says that it is somebody else is not believed.
        said = launch(page, MODULE, "approve_delivery", config, user="bob@example.com")
        assert "LaunchRunSuccess" in said, said
        with daemon(site.space), site.history() as instance:
            approvals = RunsFilter(job_name="approve_delivery")
            wait_for(lambda: instance.get_runs(approvals)[0].is_finished, 300, "the run", 1)
            (run,) = instance.get_runs(approvals)
        assert run.is_success
        page.open(f"{site.url}/runs/{run.run_id}")
        page.wait_for("document.body.innerText.includes('ann@example.com')")
        keep(page, "operator-run")

    with duckdb.connect(str(site.space.database), read_only=True) as connection:
        recorded = connection.sql("select as_of_date, approved_by from delivery_approvals")
        assert recorded.fetchall() == [(NEXT, "ann@example.com")]
    lines = [it for it in site.audit if "a merger" in str(it["operation"])]
    assert [it["user"] for it in lines] == ["ann@example.com"]


def test_no_cookie_no_secret_and_no_customer_is_in_the_log_of_a_server(
    site: Site, tmp_path: Path
) -> None:
    with signed_in(site.url, site.provider, "vic", tmp_path) as page:
        page.wait_for("document.body.innerText.includes('process_delivery')")
    logs = list(site.space.root.rglob("*.log"))
    said = "".join(path.read_text(errors="replace") for path in logs)

    assert {"nginx.log", "oauth2-proxy.log", "provider.log"} <= {path.name for path in logs}
    assert "vic@example.com" in said
    for kept in (CANARY, SECRET, "__Host-lending_club=", "Bearer "):
        assert kept not in said
