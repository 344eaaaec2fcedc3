"""The services with both profiles, as docs/docker.md brings them up, and those whom they tell."""

import json
import os
import re
import subprocess
import textwrap
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from databricks_stand_in.certificates import make_certificates
from tests.browser import Page
from tests.deployment.engine import docker, host
from tests.deployment.images import ROOT
from tests.deployment.namespace import tls
from tests.deployment.stack import SERVICES, Stack, show
from tests.operating.alertmanagers import QUICK, settings, write_keys
from tests.operating.people import identity_provider, signed_in
from tests.operating.programs import free_port
from tests.operating.receivers import Mails, Webhooks, mails, webhooks

GATEWAY = ("gateway", "oauth2-proxy", "dagster-webserver-read-only")
OBSERVABILITY = ("metrics", "prometheus", "alertmanager")
_PAGE = (ROOT / "docs" / "docker.md").read_text()
_SECTION = _PAGE.partition("## Sign-in, metrics and alerts\n")[2].partition("\n## ")[0]
# Whoever runs Alertmanager's official image.
_NOBODY = 65534


def written(kind: str) -> str:
    """Return the block of a kind that stands in the section of docs/docker.md."""
    (found,) = re.findall(rf"```{kind}\n(.*?)```", _SECTION, re.DOTALL)
    return textwrap.dedent(found)


@dataclass(frozen=True)
class Site:
    """The services, and those whom they tell.

    Attributes:
        services: all of them.
        ports: of loopback, by variable.
        url: address that people have.
        provider: address of the identity provider.
        hooks: what PagerDuty and Slack were sent.
        mails: what the mail server was sent.
    """

    services: Stack
    ports: Mapping[str, int]
    url: str
    provider: str
    hooks: Webhooks
    mails: Mails

    @contextmanager
    def signed_in(self, name: str, folder: Path) -> Iterator[Page]:
        """Sign somebody in, with a browser of its own."""
        with signed_in(self.url, self.provider, name, folder) as page:
            yield page

    @property
    def audit(self) -> list[dict[str, Any]]:
        """What the gateway wrote of requests."""
        lines = docker("logs", self.services.container("gateway")).splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def stranger(self, path: str, body: bytes | None = None) -> tuple[int, str, str]:
        """Return status, where it leads and text of an answer to somebody who is not signed in."""
        address = f"http://127.0.0.1:{self.ports['LENDING_CLUB_GATEWAY_PORT']}{path}"
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        try:
            with _OPENER.open(request, timeout=60) as answer:
                return answer.status, "", answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers.get("Location", ""), error.read().decode()

    def prometheus(self, path: str, **query: str) -> Any:
        """Return data of Prometheus's API."""
        return self._get("LENDING_CLUB_PROMETHEUS_PORT", f"/api/v1/{path}", query)["data"]

    def alerts(self) -> dict[str, Any]:
        """Return the alerts that Alertmanager has, by name."""
        found = self._get("LENDING_CLUB_ALERTMANAGER_PORT", "/api/v2/alerts", {})
        return {it["labels"]["alertname"]: it for it in found}

    def _get(self, port: str, path: str, query: Mapping[str, str]) -> Any:
        address = f"http://127.0.0.1:{self.ports[port]}{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(address, timeout=60) as answer:
            return json.load(answer)


class _Staying(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


_OPENER = urllib.request.build_opener(_Staying)


@contextmanager
def site(folder: Path, variables: Mapping[str, str]) -> Iterator[Site]:
    """Bring up everything as the page says, and take it down again.

    Args:
        folder: for the checkout and the servers.
        variables: names of images.
    """
    address = host()
    ports = {
        f"LENDING_CLUB_{name}_PORT": free_port()
        for name in ("GATEWAY", "PROMETHEUS", "ALERTMANAGER")
    }
    numbers = {name: str(port) for name, port in ports.items()}
    checkout = folder / "checkout"
    checkout.mkdir()
    services = Stack(checkout, {**variables, **numbers}, (*SERVICES, *GATEWAY, *OBSERVABILITY))
    port = free_port()
    url = f"https://localhost:{port}"
    with ExitStack() as stack:
        provider = stack.enter_context(identity_provider(folder, address))
        hooks, box = stack.enter_context(webhooks(address)), stack.enter_context(mails(address))
        context = make_certificates(folder)
        stack.enter_context(tls(context, port, ports["LENDING_CLUB_GATEWAY_PORT"]))
        _configure(services.folder, url, provider)
        _address_alerts(services.folder, hooks, box, address)
        try:
            services.shell(_up())
            yield Site(services, ports, url, provider, hooks, box)
        finally:
            print(services.compose("logs", "--tail", "40"))  # noqa: T201 - shown if a test failed
            services.down("--volumes")


def _up() -> str:
    up, rehearsal = written("console").splitlines()
    assert rehearsal.endswith("lending-club alerts test")
    return up


def _cookie_secret() -> str:
    (command,) = re.findall("`(.*)` makes the cookie secret", _SECTION)
    made = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    return made.stdout.strip()


def _configure(folder: Path, url: str, provider: str) -> None:
    text = written("sh")
    for shown, ours in {
        "https://pipeline.example.com": url,
        "https://login.example.com": provider,
        "secret-of-the-client": "client-secret-4711",
        "secret-of-the-cookies": _cookie_secret(),
    }.items():
        assert shown in text
        text = text.replace(shown, ours)
    (folder / ".env").write_text(text)


def _address_alerts(folder: Path, hooks: Webhooks, box: Mails, address: str) -> None:
    file = folder / "deploy" / "alertmanager" / "alertmanager.yml"
    file.write_text(yaml.safe_dump(settings(hooks, box, QUICK, address)))
    keys = folder / "data" / "alert-keys"
    keys.mkdir(parents=True)
    write_keys(keys, hooks, address)
    if os.geteuid():
        show(keys)
        return
    for path in (keys, *keys.iterdir()):
        path.chmod(0o700 if path.is_dir() else 0o400)
        os.chown(path, _NOBODY, _NOBODY)
