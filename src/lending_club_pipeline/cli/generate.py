"""`lending-club generate`: deliveries of any size."""

import datetime as dt
from pathlib import Path
from typing import Literal

import click

from lending_club_pipeline.cli.conventions import DATE, FOLDER, exit_codes
from lending_club_pipeline.config.settings import load_settings


@click.command(epilog=exit_codes())
@click.option("--customers", type=click.IntRange(min=0), required=True, help="Customers a day.")
@click.option("--accounts", type=click.IntRange(min=0), required=True, help="Accounts a day.")
@click.option("--to", type=FOLDER, required=True, help="Folder for the deliveries.")
@click.option(
    "--dirty",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Share of dirty records; all kinds of dirt occur.",
)
@click.option(
    "--days",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Deliveries, one a day; more than one go into dated folders that end today.",
)
@click.option(
    "--change",
    type=click.FloatRange(0, 1),
    default=0.02,
    show_default=True,
    help="Share of the accounts that change from day to day.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Same seed, same bytes.")
@click.option("--first-day", type=DATE, help="Date of the first delivery, YYYY-MM-DD.")
@click.option(
    "--compression",
    type=click.Choice(["none", "gz", "zst"]),
    default="none",
    show_default=True,
    help="Form of the files.",
)
@click.option("--control", is_flag=True, help="Write control totals (control.csv) beside them.")
@click.option("--overwrite", is_flag=True, help="Replace existing deliveries.")
def generate(
    customers: int,
    accounts: int,
    to: Path,
    dirty: float,
    days: int,
    change: float,
    seed: int,
    first_day: dt.date | None,
    compression: Literal["none", "gz", "zst"],
    *,
    control: bool,
    overwrite: bool,
) -> None:
    """Make deliveries of any size, deterministic by seed.

    The files are undated, unless you ask for several days or name the first day.
    """
    from lending_club_pipeline.present.terminal import Progress
    from lending_club_pipeline.synthetic.deliveries import generate_deliveries

    settings = load_settings()
    with Progress() as progress:
        deliveries = generate_deliveries(
            customers=customers,
            accounts=accounts,
            to=to,
            dirty=dirty,
            days=days,
            change=change,
            seed=seed,
            first_day=_first_day(first_day, days, settings.today().date),
            compression=compression,
            control=control,
            timezone=settings.days.business_timezone,
            threads=settings.duckdb.threads,
            memory_bytes=settings.engine.memory_bytes,
            overwrite=overwrite,
            on_progress=progress.show,
        )
    for delivery in deliveries:
        click.echo(
            f"{delivery.folder}: {delivery.customers:,} customers, {delivery.accounts:,} accounts, "
            f"{sum(delivery.dirt.values()):,} of these records dirty"
        )


def _first_day(given: dt.date | None, days: int, today: dt.date) -> dt.date | None:
    if given is not None:
        return given
    return today - dt.timedelta(days=days - 1) if days > 1 else None
