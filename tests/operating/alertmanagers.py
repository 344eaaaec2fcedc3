"""Alertmanager with the configuration that we deliver, told to be quick and to stay on loopback."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.operating.programs import DEPLOY, answers, free_port, program, started
from tests.operating.receivers import Mails, Webhooks, mails, webhooks

CONFIGURATION = DEPLOY / "alertmanager" / "alertmanager.yml"
TEMPLATES = DEPLOY / "alertmanager" / "*.tmpl"
PAGERDUTY, SLACK = "/v2/enqueue", "/slack"


@dataclass
class Alertmanager:
    """A running Alertmanager, and those whom it tells.

    Attributes:
        url: its address.
        hooks: what PagerDuty and Slack were sent.
        mails: what the mail server was sent.
        process: the program.
        log: what it says.
    """

    url: str
    hooks: Webhooks
    mails: Mails
    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def pages(self) -> list[Any]:
        return self.hooks.of(PAGERDUTY)

    @property
    def chats(self) -> list[str]:
        """Title and text of each message of Slack."""
        found = [body["attachments"][0] for body in self.hooks.of(SLACK)]
        return [f"{it['title']}\n{it['text']}" for it in found]


# Short pauses: a test does not wait as long as people do.
QUICK: Mapping[str, str] = {"group_wait": "500ms", "group_interval": "1s"}


def write_keys(folder: Path, hooks: Webhooks, host: str = "127.0.0.1") -> None:
    """Write the three keys that the delivered configuration reads from files."""
    (folder / "slack_url").write_text(f"http://{host}:{hooks.port}{SLACK}")
    (folder / "pagerduty_key").write_text("0123456789abcdef0123456789abcdef")
    (folder / "smtp_password").write_text("none")


def settings(
    hooks: Webhooks, mails: Mails, pauses: Mapping[str, str], host: str = "127.0.0.1"
) -> dict[str, Any]:
    """Return the delivered configuration with other addresses and pauses.

    Args:
        hooks: PagerDuty and Slack.
        mails: the mail server.
        pauses: other values of the first route than those that we deliver.
        host: address of both.
    """
    found: dict[str, Any] = yaml.safe_load(CONFIGURATION.read_text())
    found["global"] |= {
        "smtp_smarthost": f"{host}:{mails.port}",
        "smtp_require_tls": False,
        "smtp_hello": "localhost",
        "pagerduty_url": f"http://{host}:{hooks.port}{PAGERDUTY}",
    }
    del found["global"]["smtp_auth_username"], found["global"]["smtp_auth_password_file"]
    found["route"] |= pauses
    # Whatever time it is while the test runs.
    for interval in found["time_intervals"]:
        interval["time_intervals"] = [{"years": ["2000"]}]
    return found


def _configuration(folder: Path, hooks: Webhooks, mails: Mails, pauses: Mapping[str, str]) -> Path:
    """Write that configuration, with files of a folder."""
    secrets = folder / "secrets"
    secrets.mkdir()
    write_keys(secrets, hooks)
    written = settings(hooks, mails, pauses) | {"templates": [str(TEMPLATES)]}
    text = yaml.safe_dump(written).replace("/etc/alertmanager/secrets", str(secrets))
    file = folder / "alertmanager.yml"
    file.write_text(text)
    return file


@contextmanager
def alertmanager(folder: Path, pauses: Mapping[str, str] = QUICK) -> Iterator[Alertmanager]:
    """Start Alertmanager and those whom it tells.

    Args:
        folder: for its files.
        pauses: other values of the first route than those that we deliver.
    """
    binary = program("alertmanager", "prometheus-alertmanager")
    port = free_port()
    url, log = f"http://127.0.0.1:{port}", folder / "alertmanager.log"
    with webhooks() as hooks, mails() as box:
        command = [
            binary,
            f"--config.file={_configuration(folder, hooks, box, pauses)}",
            f"--storage.path={folder / 'storage'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        ]
        with started(command, answers(f"{url}/-/ready"), log) as process:
            yield Alertmanager(url, hooks, box, process, log)
