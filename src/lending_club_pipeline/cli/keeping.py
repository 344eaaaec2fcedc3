"""Commands that decide about processed days: close a month, approve, expire."""

import datetime as dt
import getpass

import click

from lending_club_pipeline.cli.conventions import (
    DATE,
    MONTH,
    SECONDS,
    exit_codes,
    exit_unless_success,
)
from lending_club_pipeline.config import clock
from lending_club_pipeline.config.settings import DataPlatformConfig, load_settings


@click.command(epilog=exit_codes())
@click.argument("month", type=MONTH, metavar="MONTH")
@click.option("--wait", type=SECONDS, help="Seconds to wait for another run to end.")
def close_month(month: dt.date, wait: float | None) -> None:
    """Compute account_summary_monthly of a month, YYYY-MM.

    `run` does so by itself when the month is over, and again when one of its days is restated.
    """
    from lending_club_pipeline.present.terminal import Progress

    settings = load_settings({"lock_wait_seconds": wait})
    with Progress() as progress:
        from lending_club_pipeline.defs.execution import run_job
        from lending_club_pipeline.defs.jobs import MONTH_JOB_NAME

        report = run_job(settings, MONTH_JOB_NAME, (month, month), progress.show, {})
    exit_unless_success(report)
    click.echo(_basis(settings, month))


def _basis(settings: DataPlatformConfig, month: dt.date) -> str:
    """Say on which deliveries a closed month rests."""
    from lending_club_pipeline.reconcile.ledger import closed_dates
    from lending_club_pipeline.warehouse import choose_warehouse

    warehouse = choose_warehouse(settings)
    with warehouse.session(read_only=True):
        days = sorted(day for day in closed_dates(warehouse) if day.replace(day=1) == month)
    held = f"account_summary_monthly holds {month:%Y-%m}"
    if not days:
        return f"{held} no more: none of its deliveries closes."
    others = f"the last of {len(days)}" if len(days) > 1 else "the only one"
    return f"{held} as of {days[-1]}, {others} of the month's deliveries that are processed."


@click.command(epilog=exit_codes())
@click.argument("date", type=DATE, metavar="DATE")
@click.option("--reason", required=True, help="Why the delivery is right although it moved so far.")
@click.option("--by", help="Who approves it, instead of the login name.")
def approve(date: dt.date, reason: str, by: str | None) -> None:
    """Let a held delivery be published.

    DATE is its business date. Recorded with name, time and reason, for exactly the files that were
    held. The next run of that date publishes it; the sensor starts one.
    """
    from lending_club_pipeline.operating.audit import record
    from lending_club_pipeline.reconcile.approvals import approve as let_pass
    from lending_club_pipeline.runs.day_journal import DayJournal
    from lending_club_pipeline.warehouse import choose_warehouse

    settings = load_settings()
    name = by if by is not None else getpass.getuser()
    # Without the reason, which may be about a customer; it stands in the warehouse.
    record(settings, "approve", {"as_of_date": date.isoformat(), "approved_by": name})
    warehouse = choose_warehouse(settings)
    with warehouse.session():
        approval = let_pass(warehouse, date, name, reason, clock.now())
        DayJournal.begin(warehouse, run_id="").release(date)
    click.echo(
        f"Approved by {approval.approved_by} at {approval.approved_at} UTC. To publish it: "
        f"lending-club run --as-of {approval.as_of_date}"
    )


@click.command(epilog=exit_codes())
@click.option("--days", type=click.IntRange(1, 36500), help="Instead of RETENTION_DAYS.")
@click.option("--dry-run", is_flag=True, help="Only say what would be dropped.")
@click.option("--wait", type=SECONDS, help="Seconds to wait for another run to end.")
def expire(days: int | None, wait: float | None, *, dry_run: bool) -> None:
    """Drop the records of days that are older than RETENTION_DAYS.

    Age is counted from the newest processed delivery. Ledger, tiers, movements, changes and
    histories stay, and so does what is published.
    """
    from lending_club_pipeline.operating.audit import record
    from lending_club_pipeline.runs.retention import expire as drop
    from lending_club_pipeline.warehouse import choose_warehouse

    settings = load_settings({"retention_days": days, "lock_wait_seconds": wait})
    if not dry_run:
        record(settings, "expire", {"retention_days": str(settings.days.retention_days)})
    warehouse = choose_warehouse(settings)
    with warehouse.session(read_only=dry_run):
        found = drop(warehouse, settings, dry_run=dry_run)
    for day in found:
        click.echo(f"{day.as_of_date}: {day.rows:,} rows, {day.landed_bytes:,} bytes landed")
    what = "would be dropped" if dry_run else "dropped"
    rows, size = sum(day.rows for day in found), sum(day.landed_bytes for day in found)
    click.echo(f"{len(found)} days {what}: {rows:,} rows, {size:,} bytes landed.")
