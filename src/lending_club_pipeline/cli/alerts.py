"""`lending-club alerts test`: check that alerts reach people."""

import sys

import click

from lending_club_pipeline.cli.conventions import FAILED, SECONDS, exit_codes
from lending_club_pipeline.config.settings import load_settings
from lending_club_pipeline.contract.errors import ConfigurationError


@click.group()
def alerts() -> None:
    """Alerts that Alertmanager sends to people."""


@alerts.command(epilog=exit_codes())
@click.option(
    "--wait",
    type=SECONDS,
    default=60,
    show_default=True,
    help="Seconds to wait for messages.",
)
def test(wait: float) -> None:
    """Send one test alert of each kind.

    Shows the receivers of each alert and the messages that they took. Ends with 1 if an alert has
    no receiver, or a receiver did not take its message.
    """
    from lending_club_pipeline.operating.rehearsal import rehearse
    from lending_club_pipeline.present.status import print_rehearsal
    from lending_club_pipeline.present.terminal import Progress

    settings = load_settings()
    if settings.operating.alertmanager_url is None:
        raise ConfigurationError(
            "ALERTMANAGER_URL is not set. Name the address of Alertmanager, such as "
            "http://localhost:9093."
        )
    with Progress() as progress:
        found = rehearse(
            settings.operating.alertmanager_url, settings.dagster.url, wait, progress.show
        )
    print_rehearsal(found)
    if found.failed:
        sys.exit(FAILED)
