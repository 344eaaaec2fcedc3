"""People who sign in: the provider that knows them, and what they do in a browser."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.browser import Page, opened_page
from tests.operating.programs import answers, free_port, started

PEOPLE: Final = {
    "ann": ["lending-club-operators"],
    "vic": ["staff", "lending-club-viewers"],
    "eve": ["staff"],
}
BUTTON: Final = "[...document.querySelectorAll('button')].find(it => /{}/i.test(it.innerText))"
LAUNCH: Final = """
    mutation Launch($params: ExecutionParams!) {
      launchRun(executionParams: $params) {
        __typename
        ... on LaunchRunSuccess { run { runId } }
      }
    }
"""


@contextmanager
def identity_provider(folder: Path, host: str = "127.0.0.1") -> Iterator[str]:
    """Run an OpenID Connect provider that knows these people, and give its address.

    Args:
        folder: for its log.
        host: an address of this machine.
    """
    claims = [
        {"sub": name, "email": f"{name}@example.com", "email_verified": True, "groups": groups}
        for name, groups in PEOPLE.items()
    ]
    users = [it for claim in claims for it in ("--user-claims", json.dumps(claim))]
    port = free_port()
    command = [sys.executable, "-m", "oidc_provider_mock", "-H", host, "-p", str(port), *users]
    url = f"http://{host}:{port}"
    found = answers(f"{url}/.well-known/openid-configuration")
    with started(command, found, folder / "provider.log"):
        yield url


@contextmanager
def signed_in(url: str, provider: str, name: str, folder: Path) -> Iterator[Page]:
    """Sign somebody in, as a person does, on the way to a page of Dagster's."""
    with opened_page(folder, "--ignore-certificate-errors") as page:
        page.open(f"{url}/jobs")
        page.wait_for(f"location.origin === '{provider}' && document.forms.length")
        page.run(f"document.querySelector('button[value={name}]').click()")
        page.wait_for(f"location.origin === '{url}' && document.body.innerText")
        yield page


def launch(
    page: Page,
    location: str,
    job: str,
    config: Mapping[str, object] | None = None,
    **tags: str,
) -> str:
    """Ask for a run of a code location as Dagster's page does, and return its answer."""
    params = {
        "selector": {
            "repositoryLocationName": location,
            "repositoryName": "__repository__",
            "jobName": job,
        },
        "runConfigData": config or {},
        "executionMetadata": {"tags": [{"key": key, "value": it} for key, it in tags.items()]},
    }
    body = json.dumps(json.dumps({"query": LAUNCH, "variables": {"params": params}}))
    return str(
        page.run(
            f"fetch('/graphql', {{method: 'POST', body: {body}, "
            "headers: {'Content-Type': 'application/json'}}).then(it => it.text())"
        )
    )
