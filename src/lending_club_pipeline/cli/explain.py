"""`lending-club explain`: trace one account or one customer."""

import datetime as dt

import click

from lending_club_pipeline.cli.conventions import DATE, SECONDS, exit_codes
from lending_club_pipeline.config.settings import load_settings


@click.command(epilog=exit_codes())
@click.argument("account_id", required=False)
@click.option("--customer", type=int, help="Number of a customer instead of an account.")
@click.option("--as-of", type=DATE, help="Business date; the newest processed one if left out.")
@click.option("--wait", type=SECONDS, help="Seconds to wait for a run that has the database.")
def explain(
    account_id: str | None, customer: int | None, as_of: dt.date | None, wait: float | None
) -> None:
    """Trace one account or customer from record to result.

    Shows the record, its cleaned values, the reasons for quarantine or filter, and the calculation
    of its interest, with the source of each rule. The output holds personal data.
    """
    from lending_club_pipeline.explanations.traces import (
        trace_account,
        trace_customer,
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
            lines = customer_lines(trace_customer(warehouse, customer, as_of))
        else:
            trace = trace_account(warehouse, account_id or "", as_of)
            lines = account_lines(trace, settings.outputs.currency)
    for line in lines:
        click.echo(line)
