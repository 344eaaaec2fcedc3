"""Commands that answer questions about processed days: explain, diff."""

import datetime as dt
import sys
from pathlib import Path

import click

from lending_club_pipeline.cli.conventions import DATE, FAILED, FOLDER, SECONDS, exit_codes
from lending_club_pipeline.config.settings import load_settings


@click.command(epilog=exit_codes())
@click.argument("account_id", required=False)
@click.option("--customer", type=int, help="Number of a customer instead of an account.")
@click.option("--as-of", type=DATE, help="Business date; the newest processed one if left out.")
@click.option("--wait", type=SECONDS, help="Seconds to wait for a run that has the database.")
def explain(
    account_id: str | None, customer: int | None, as_of: dt.date | None, wait: float | None
) -> None:
    """Tell the story of one account, or of one customer.

    Which record it came from, what was cleaned, why it was quarantined or filtered, or how its
    interest came about, with the source of each rule. Shows personal data.
    """
    from lending_club_pipeline.explanations.traces import (
        tell_account,
        tell_customer,
    )
    from lending_club_pipeline.operating.audit import record
    from lending_club_pipeline.present.account_traces import (
        account_lines,
        customer_lines,
    )
    from lending_club_pipeline.warehouse import choose_warehouse

    if (account_id is None) == (customer is None):
        raise click.UsageError("Name one account (ACCOUNT_ID) or one customer (--customer ID).")
    settings = load_settings({"lock_wait_seconds": wait})
    about = {"account": account_id or ""} if customer is None else {"customer": str(customer)}
    record(settings, "explain", about)
    warehouse = choose_warehouse(settings)
    with warehouse.session(read_only=True):
        if customer is not None:
            lines = customer_lines(tell_customer(warehouse, customer, as_of))
        else:
            story = tell_account(warehouse, account_id or "", as_of)
            lines = account_lines(story, settings.outputs.currency)
    for line in lines:
        click.echo(line)


@click.command(epilog=exit_codes())
@click.argument("one", type=DATE, metavar="DATE")
@click.argument("other", type=DATE, metavar="DATE")
@click.option("--account", help="Look at this account alone.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="Accounts that are shown of each kind of change.",
)
@click.option("--csv", type=FOLDER, help="Write every account that changed into this file.")
@click.option("--wait", type=SECONDS, help="Seconds to wait for a run that has the database.")
def diff(
    one: dt.date,
    other: dt.date,
    account: str | None,
    limit: int,
    csv: Path | None,
    wait: float | None,
) -> None:
    """Say what changed between two processed deliveries, and why, to the account.

    An account counts for each kind of its changes, and once in the total, which is the difference
    between both ledgers.
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
