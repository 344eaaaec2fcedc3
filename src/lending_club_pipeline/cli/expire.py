"""`lending-club expire`: drop the records of old days."""

import click

from lending_club_pipeline.cli.conventions import (
    SECONDS,
    exit_codes,
)
from lending_club_pipeline.config.settings import load_settings


@click.command(epilog=exit_codes())
@click.option("--days", type=click.IntRange(1, 36500), help="Instead of RETENTION_DAYS.")
@click.option("--dry-run", is_flag=True, help="Only show what would be dropped.")
@click.option("--wait", type=SECONDS, help="Seconds to wait for another run to end.")
def expire(days: int | None, wait: float | None, *, dry_run: bool) -> None:
    """Drop the records of days that are older than RETENTION_DAYS.

    Age is counted from the newest processed delivery. Ledger, tiers, movements, changes and
    histories stay, and so does the published day.
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
