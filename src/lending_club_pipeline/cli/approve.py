"""`lending-club approve`: let a held delivery be published."""

import datetime as dt

import click

from lending_club_pipeline.cli.conventions import (
    DATE,
    exit_codes,
)
from lending_club_pipeline.config import clock
from lending_club_pipeline.config.settings import load_settings
from lending_club_pipeline.operating.audit import login


@click.command(epilog=exit_codes())
@click.argument("date", type=DATE, metavar="DATE")
@click.option(
    "--reason", required=True, help="Why the delivery is right in spite of its movements."
)
@click.option("--by", help="Who approves it, instead of the login name.")
def approve(date: dt.date, reason: str, by: str | None) -> None:
    """Let a held delivery be published.

    DATE is its business date. The approval is recorded with name, time and reason, and is valid for
    exactly the files that were held. The next run of that date publishes the delivery; the sensor
    starts such a run.
    """
    from lending_club_pipeline.operating.audit import record
    from lending_club_pipeline.reconcile.approvals import approve as let_pass
    from lending_club_pipeline.runs.day_journal import DayJournal
    from lending_club_pipeline.warehouse import choose_warehouse

    settings = load_settings()
    name = by if by is not None else login()
    # Without the reason, which may name a customer; the warehouse keeps the reason.
    record(settings, "approve", {"as_of_date": date.isoformat(), "approved_by": name})
    warehouse = choose_warehouse(settings)
    with warehouse.session():
        approval = let_pass(warehouse, date, name, reason, clock.now())
        DayJournal.begin(warehouse, run_id="").release(date)
    click.echo(
        f"Approved by {approval.approved_by} at {approval.approved_at} UTC. To publish it: "
        f"lending-club run --as-of {approval.as_of_date}"
    )
