"""Commands for whoever keeps the pipeline running: status, alerts, metrics."""

import sys
from contextlib import suppress
from pathlib import Path
from threading import Event

import click

from lending_club_pipeline.cli.conventions import FAILED, FOLDER, SECONDS, exit_codes
from lending_club_pipeline.config.settings import load_settings
from lending_club_pipeline.contract.errors import ConfigurationError


@click.command(epilog=exit_codes())
@click.option("--inputs", type=FOLDER, help="Folder of deliveries instead of INPUT_PATH.")
@click.option(
    "--last",
    type=click.IntRange(min=0),
    default=14,
    show_default=True,
    help="Newest dates that are shown; others are if something is wrong with them.",
)
@click.option("--json", "as_json", is_flag=True, help="Print every date, as JSON.")
def status(inputs: Path | None, last: int, *, as_json: bool) -> None:
    """Show how each business date stands, what is wrong now, and what to do.

    Ends with 1 if something is wrong that stops deliveries. No delivery is read.
    """
    from lending_club_pipeline.defs.operating.reading import find_status
    from lending_club_pipeline.present.status import print_status, status_as_json

    found = find_status(load_settings({"input_path": inputs}))
    if as_json:
        click.echo(status_as_json(found))
    else:
        print_status(found, last)
    if found.is_critical:
        sys.exit(FAILED)


@click.group()
def alerts() -> None:
    """Tell people what is wrong, by Alertmanager."""


@alerts.command(epilog=exit_codes())
@click.option(
    "--wait",
    type=SECONDS,
    default=60,
    show_default=True,
    help="Seconds to wait for messages.",
)
def test(wait: float) -> None:
    """Send one alert of each kind, and say who is told and what was taken.

    Ends with 1 if an alert has no receiver, or a receiver did not take its message.
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


@click.group()
def audit() -> None:
    """Prove who did what."""


@audit.command(epilog=exit_codes())
@click.argument("journal", type=FOLDER)
@click.option(
    "--key-file", type=FOLDER, required=True, help="File with the verification key, kept elsewhere."
)
def verify(journal: Path, key_file: Path) -> None:
    """Say whether a sealed log is whole.

    JOURNAL is the file that deploy/audit/seal.sh writes. Ends with 1 if it was changed, sealed with
    another key, or is not sealed.
    """
    from lending_club_pipeline.operating.audit import verify as verify_journal

    try:
        key = key_file.read_text().strip()
    except OSError as error:
        raise click.UsageError(f"{key_file} cannot be read: {error.strerror}.") from None
    found = verify_journal(journal, key)
    click.echo(f"{journal}: {found.entries} lines, none was changed. {found.validated}")


@click.command(epilog=exit_codes())
@click.option("--host", help="Address to listen on instead of METRICS_HOST.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port instead of METRICS_PORT.")
@click.option("--once", is_flag=True, help="Print every value and end.")
def metrics(host: str | None, port: int | None, *, once: bool) -> None:
    """Serve measurements to Prometheus, and push them to OTLP_ENDPOINT if that is set.

    Until you press Ctrl+C or send SIGTERM. Reads Dagster's storage alone, so that no run waits.
    """
    from lending_club_pipeline.defs.operating.serving import reading_samples
    from lending_club_pipeline.operating.exporting import exporting
    from lending_club_pipeline.present.status import print_samples

    settings = load_settings({"metrics_host": host, "metrics_port": port})
    with reading_samples(settings) as read:
        if once:
            print_samples(read())
            return
        with suppress(KeyboardInterrupt), exporting(settings, read):
            address = f"http://{settings.operating.metrics_host}:{settings.operating.metrics_port}/metrics"
            pushed = (
                f", pushed to {settings.operating.otlp_endpoint}"
                if settings.operating.otlp_endpoint
                else ""
            )
            click.echo(f"Metrics on {address}{pushed}", err=True)
            Event().wait()
