"""`lending-club run`: process one delivery, or those of a range of dates."""

import datetime as dt
import sys
from pathlib import Path

import click

from lending_club_pipeline.cli.conventions import (
    DATE,
    EPILOG,
    FAILED,
    FOLDER,
    HELD,
    REFUSED,
    SECONDS,
    exit_unless_success,
)
from lending_club_pipeline.config.settings import DataPlatformConfig, load_settings


@click.command(epilog=EPILOG)
@click.option("--as-of", type=DATE, help="Business date of the delivery, YYYY-MM-DD.")
@click.option("--from", "first", type=DATE, help="Process every delivery from this date on,")
@click.option("--to", "last", type=DATE, help="through this date; today if left out.")
@click.option("--force", is_flag=True, help="Process deliveries that are unchanged, too.")
@click.option("--inputs", type=FOLDER, help="Folder of deliveries instead of INPUT_PATH.")
@click.option("--outputs", type=FOLDER, help="Folder for outputs instead of OUTPUT_PATH.")
@click.option("--wait", type=SECONDS, help="Seconds to wait for another run to end.")
def run(
    as_of: dt.date | None,
    first: dt.date | None,
    last: dt.date | None,
    inputs: Path | None,
    outputs: Path | None,
    wait: float | None,
    *,
    force: bool,
) -> None:
    """Process one delivery, or those of a range of dates, from CSV to account_summary.

    Without a date it is today's delivery: the folder of today's date, else the files that lie in
    the inputs folder itself; where there are none, the newest dated folder. A delivery that is
    processed already and unchanged is left alone, if the outputs still are what was published last.
    """
    settings = load_settings(
        {"input_path": inputs, "output_path": outputs, "lock_wait_seconds": wait}
    )
    if first is None and last is None:
        _run_one(settings, as_of, force=force)
        return
    if first is None or as_of is not None:
        raise click.UsageError("Name one date (--as-of), or a range of them (--from, --to).")
    _run_range(settings, first, last, force=force)


def _run_one(settings: DataPlatformConfig, as_of: dt.date | None, *, force: bool) -> None:
    from lending_club_pipeline.present.terminal import Progress, print_closing
    from lending_club_pipeline.runs.finished_days import (
        date_of_delivery,
        expired_days,
        finished,
    )
    from lending_club_pipeline.runs.published_outputs import is_still_published

    date = as_of or date_of_delivery(settings)
    known = None if force else finished(settings, date)
    if known is not None and is_still_published(settings):
        print_closing(known, ())
        click.echo(
            f"The delivery of {date} is unchanged since it was processed: there was nothing to do "
            "(--force processes it again)."
        )
        return
    if as_of is None and not force and expired_days(settings, [date]):
        click.echo(
            f"The newest delivery, of {date}, was processed before, and its records are past "
            "RETENTION_DAYS: it was left alone (--as-of lands it again)."
        )
        return
    with Progress() as progress:
        # Takes two seconds to import; other commands do not need it.
        from lending_club_pipeline.defs.closing_months import close_months
        from lending_club_pipeline.defs.local_runs import process_days

        report = process_days(settings, (date, date), progress.show)
        month = close_months(settings, report.ledgers.keys(), progress.show, report.run_id)
    ledger = report.ledgers.get(date) or report.open_ledgers.get(date)
    if ledger is not None:
        print_closing(ledger, report.written)
    else:
        for path in report.written:
            click.echo(f"  {path}")
    exit_unless_success(report)
    if month is not None:
        exit_unless_success(month)


def _run_range(
    settings: DataPlatformConfig, first: dt.date, last: dt.date | None, *, force: bool
) -> None:
    from lending_club_pipeline.ingest.deliveries.discovery import today_utc
    from lending_club_pipeline.present.terminal import Progress

    until = last or today_utc()
    if first > until:
        shown = f"--to {last}" if last else f"today ({until} in UTC); name the last date by --to"
        raise click.UsageError(f"--from {first} is after {shown}.")
    with Progress() as progress:
        from lending_club_pipeline.defs.backfills import process_range

        report = process_range(settings, first, until, progress.show, force=force)
        from lending_club_pipeline.defs.closing_months import close_months

        month = close_months(settings, report.processed, progress.show)
    from lending_club_pipeline.present.backfills import print_backfill

    outcomes = print_backfill(report)
    if month is not None:
        exit_unless_success(month)
    if "failed" in outcomes:
        sys.exit(FAILED)
    if "refused" in outcomes:
        sys.exit(REFUSED)
    if "held" in outcomes:
        sys.exit(HELD)
