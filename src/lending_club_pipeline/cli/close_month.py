"""`lending-club close-month`: the summary of a month."""

import datetime as dt

import click

from lending_club_pipeline.cli.conventions import (
    MONTH,
    SECONDS,
    exit_codes,
    exit_unless_success,
)
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
    """Describe the deliveries behind a closed month."""
    from lending_club_pipeline.reconcile.ledger import closed_dates
    from lending_club_pipeline.warehouse import choose_warehouse

    warehouse = choose_warehouse(settings)
    with warehouse.session(read_only=True):
        days = sorted(day for day in closed_dates(warehouse) if day.replace(day=1) == month)
    held = f"account_summary_monthly holds {month:%Y-%m}"
    if not days:
        return (
            f"account_summary_monthly no longer holds {month:%Y-%m}: none of its deliveries closes."
        )
    others = f"the last of {len(days)}" if len(days) > 1 else "the only one"
    return f"{held} as of {days[-1]}, {others} of the month's deliveries that are processed."
