"""`lending-club metrics`: measurements for Prometheus and OTLP."""

from contextlib import suppress
from threading import Event
from typing import Final

import click

from lending_club_pipeline.cli.conventions import exit_codes
from lending_club_pipeline.config.settings import load_settings

# How long to wait for the values of Databricks. Prometheus allows a scrape ten seconds by default;
# values that are late are in the next one.
_PRINTED_SECONDS: Final = 90.0
_SCRAPED_SECONDS: Final = 3.0


@click.command(epilog=exit_codes())
@click.option("--host", help="Address to listen on instead of METRICS_HOST.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port instead of METRICS_PORT.")
@click.option("--once", is_flag=True, help="Print every value and exit.")
def metrics(host: str | None, port: int | None, *, once: bool) -> None:
    """Serve measurements to Prometheus and push them by OTLP.

    It pushes if OTLP_ENDPOINT is set. It runs until you press Ctrl+C or send SIGTERM. It reads only
    Dagster's storage, so no run waits for it, and on Databricks the query history, which starts no
    SQL warehouse.
    """
    from lending_club_pipeline.defs.operating.samples import reading_samples
    from lending_club_pipeline.operating.exporters import exporting
    from lending_club_pipeline.present.status import print_samples

    settings = load_settings({"metrics_host": host, "metrics_port": port})
    with reading_samples(settings, _PRINTED_SECONDS if once else _SCRAPED_SECONDS) as read:
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
