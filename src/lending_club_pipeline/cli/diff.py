"""`lending-club diff`: what changed between two processed deliveries."""

import datetime as dt
import sys
from pathlib import Path

import click

from lending_club_pipeline.cli.conventions import DATE, FAILED, FOLDER, SECONDS, exit_codes
from lending_club_pipeline.config.settings import load_settings


@click.command(epilog=exit_codes())
@click.argument("one", type=DATE, metavar="DATE")
@click.argument("other", type=DATE, metavar="DATE")
@click.option("--account", help="Only this account.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="Accounts to show for each kind of change.",
)
@click.option("--csv", type=FOLDER, help="Write all changed accounts into this file.")
@click.option("--wait", type=SECONDS, help="Seconds to wait for a run that has the database.")
def diff(
    one: dt.date,
    other: dt.date,
    account: str | None,
    limit: int,
    csv: Path | None,
    wait: float | None,
) -> None:
    """Show what changed between two processed deliveries.

    Lists changed accounts by kind of change. An account counts once for each kind of change, and
    once in the total. The total must equal the difference between the two ledgers.
    """
    from rich.console import Console

    from lending_club_pipeline.explanations.differences import find_differences, write_differences
    from lending_club_pipeline.operating.audit import record
    from lending_club_pipeline.present.differences import (
        difference_table,
        example_lines,
        verdict,
    )
    from lending_club_pipeline.present.terminal import WIDTH_OF_FILES
    from lending_club_pipeline.warehouse import choose_warehouse

    settings = load_settings({"lock_wait_seconds": wait})
    record(settings, "diff", {"dates": f"{one} {other}", "file": "" if csv is None else str(csv)})
    warehouse = choose_warehouse(settings)
    with warehouse.session(read_only=True):
        found = find_differences(warehouse, one, other, limit, account)
        rows = write_differences(warehouse, one, other, csv) if csv else 0
    console = Console(highlight=False)
    console.width = max(console.width, WIDTH_OF_FILES)
    console.print(difference_table(found, settings.outputs.currency))
    if account is None:
        click.echo(verdict(found))
    elif not found.by_kind:
        click.echo(f"Account {account} did not change.")
    for line in example_lines(found):
        click.echo(line)
    if csv:
        click.echo(f"\n{csv}: {rows:,} accounts")
    if account is None and not found.adds_up:
        sys.exit(FAILED)
