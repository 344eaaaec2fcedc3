"""lending-club: the command line. It parses and prints; it decides nothing."""

import atexit
import datetime as dt
import gc
import getpass
import os
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

from lending_club_pipeline.errors import ConfigurationError, PipelineError, RefusedDeliveryError
from lending_club_pipeline.settings import DataPlatformConfig, load_settings

if TYPE_CHECKING:
    from lending_club_pipeline.defs.automation.local_runs import RunReport

SUCCESS: Final = 0
FAILED: Final = 1
WRONG_USAGE: Final = 2
REFUSED: Final = 3
HELD: Final = 4
INTERRUPTED: Final = 130

_EPILOG: Final = (
    "Exit codes: 0 success, 1 failed, 2 wrong usage or setting, 3 delivery refused, "
    "4 delivery held until somebody approves it, 130 interrupted."
)
_FOLDER: Final = click.Path(path_type=Path)
_DATE: Final = click.DateTime(["%Y-%m-%d"])


@click.group(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lending-club-pipeline")
@click.option("--debug", is_flag=True, help="Show the stack trace of an error.")
@click.pass_context
def cli(context: click.Context, *, debug: bool) -> None:
    """Two CSV extracts in, an exact account_summary out.

    Settings come from the environment and from .env; see .env.example.
    """
    context.obj = {"debug": debug}


@cli.command(epilog=_EPILOG)
@click.option(
    "--as-of", type=_DATE, metavar="DATE", help="Business date of the delivery, YYYY-MM-DD."
)
@click.option(
    "--from", "first", type=_DATE, metavar="DATE", help="Process every delivery from this date on,"
)
@click.option(
    "--to", "last", type=_DATE, metavar="DATE", help="through this date; today if left out."
)
@click.option("--force", is_flag=True, help="Process deliveries that are unchanged, too.")
@click.option("--inputs", type=_FOLDER, help="Folder of deliveries instead of INPUT_PATH.")
@click.option("--outputs", type=_FOLDER, help="Folder for outputs instead of OUTPUT_PATH.")
@click.option("--wait", type=float, help="Seconds to wait for another run to end.")
def run(
    as_of: dt.datetime | None,
    first: dt.datetime | None,
    last: dt.datetime | None,
    inputs: Path | None,
    outputs: Path | None,
    wait: float | None,
    *,
    force: bool,
) -> None:
    """Process one delivery, or those of a range of dates, from CSV to account_summary.

    Without a date it is today's delivery: the folder of today's date, else the files that lie in
    the inputs folder itself; where there are none, the newest dated folder. A delivery that is
    processed already and unchanged is left alone.
    """
    settings = load_settings(
        {"input_path": inputs, "output_path": outputs, "lock_wait_seconds": wait}
    )
    if first is None and last is None:
        _run_one(settings, as_of.date() if as_of else None, force=force)
        return
    if first is None or as_of is not None:
        raise click.UsageError("Name one date (--as-of), or a range of them (--from, --to).")
    _run_range(settings, first.date(), last.date() if last else None, force=force)


def _run_one(settings: DataPlatformConfig, as_of: dt.date | None, *, force: bool) -> None:
    from lending_club_pipeline.defs.automation.finished_days import date_of_delivery, finished
    from lending_club_pipeline.terminal import Progress, print_closing

    date = as_of or date_of_delivery(settings)
    known = None if force else finished(settings, date)
    if known is not None:
        print_closing(known, ())
        click.echo(
            f"The delivery of {date} is unchanged since it was processed: there was nothing to do "
            "(--force processes it again)."
        )
        return
    with Progress() as progress:
        # Takes two seconds to import; other commands do not need it.
        from lending_club_pipeline.defs.automation.closing_months import close_months
        from lending_club_pipeline.defs.automation.local_runs import process_days

        report = process_days(settings, (date, date), progress.show)
        month = close_months(settings, report.ledgers.keys(), progress.show, report.run_id)
    if date in report.ledgers:
        print_closing(report.ledgers[date], report.written)
    else:
        for path in report.written:
            click.echo(f"  {path}")
    _exit_unless_success(report)
    if month is not None:
        _exit_unless_success(month)


def _exit_unless_success(report: "RunReport") -> None:
    if report.outcome == "success":
        return
    click.echo(f"{report.outcome.capitalize()}: {report.message}", err=True)
    click.echo(f"Logs: Dagster run {report.run_id} (make ui).", err=True)
    sys.exit({"refused": REFUSED, "held": HELD}.get(report.outcome, FAILED))


def _run_range(
    settings: DataPlatformConfig, first: dt.date, last: dt.date | None, *, force: bool
) -> None:
    from lending_club_pipeline.deliveries.finding import today_utc
    from lending_club_pipeline.terminal import Progress

    with Progress() as progress:
        from lending_club_pipeline.defs.automation.backfills import process_range

        report = process_range(settings, first, last or today_utc(), progress.show, force=force)
        from lending_club_pipeline.defs.automation.closing_months import close_months

        month = close_months(settings, report.processed, progress.show)
    from lending_club_pipeline.terminal_backfills import print_backfill

    outcomes = print_backfill(report)
    if month is not None:
        _exit_unless_success(month)
    if "failed" in outcomes:
        sys.exit(FAILED)
    if "refused" in outcomes:
        sys.exit(REFUSED)
    if "held" in outcomes:
        sys.exit(HELD)


@cli.command(epilog=_EPILOG)
@click.argument("month", type=click.DateTime(["%Y-%m"]), metavar="MONTH")
@click.option("--wait", type=float, help="Seconds to wait for another run to end.")
def close_month(month: dt.datetime, wait: float | None) -> None:
    """Compute account_summary_monthly of a month, YYYY-MM.

    `run` does so by itself when the month is over, and again when one of its days is restated.
    """
    from lending_club_pipeline.terminal import Progress

    settings = load_settings({"lock_wait_seconds": wait})
    with Progress() as progress:
        from lending_club_pipeline.defs.automation.closing_months import close

        report = close(settings, [month.date()], progress.show)
    _exit_unless_success(report)
    click.echo(f"account_summary_monthly holds {month:%Y-%m} as its deliveries say now.")


@cli.command(epilog=_EPILOG)
@click.argument("account_id", required=False)
@click.option("--customer", type=int, help="Number of a customer instead of an account.")
@click.option(
    "--as-of",
    type=_DATE,
    metavar="DATE",
    help="Business date; the newest processed one if left out.",
)
@click.option("--wait", type=float, help="Seconds to wait for a run that has the database.")
def explain(
    account_id: str | None, customer: int | None, as_of: dt.datetime | None, wait: float | None
) -> None:
    """Tell the story of one account, or of one customer.

    Which record it came from, what was cleaned, why it was quarantined or filtered, or how its
    interest came about, with the source of each rule. Shows personal data.
    """
    from lending_club_pipeline.explanations.stories import (
        tell_account,
        tell_customer,
    )
    from lending_club_pipeline.explanations.telling import (
        account_lines,
        customer_lines,
    )
    from lending_club_pipeline.warehouse import choose_warehouse

    if (account_id is None) == (customer is None):
        raise click.UsageError("Name one account (ACCOUNT_ID) or one customer (--customer ID).")
    date = as_of.date() if as_of else None
    warehouse = choose_warehouse(load_settings({"lock_wait_seconds": wait}))
    with warehouse.session(read_only=True):
        if customer is not None:
            lines = customer_lines(tell_customer(warehouse, customer, date))
        else:
            lines = account_lines(tell_account(warehouse, account_id or "", date))
    for line in lines:
        click.echo(line)


@cli.command(epilog=_EPILOG)
@click.argument("date", type=_DATE, metavar="DATE")
@click.option("--reason", required=True, help="Why the delivery is right although it moved so far.")
@click.option("--by", help="Who approves it, instead of the login name.")
def approve(date: dt.datetime, reason: str, by: str | None) -> None:
    """Let a held delivery be published.

    DATE is its business date. Recorded with name, time and reason, for exactly the files that were
    held. The next run of that date publishes it.
    """
    from lending_club_pipeline.outputs.approving import approve as record
    from lending_club_pipeline.warehouse import choose_warehouse

    warehouse = choose_warehouse(load_settings())
    with warehouse.session():
        name = by if by is not None else getpass.getuser()
        approval = record(warehouse, date.date(), name, reason, dt.datetime.now(dt.UTC))
    click.echo(
        f"Approved by {approval.approved_by} at {approval.approved_at} UTC. To publish it: "
        f"lending-club run --as-of {approval.as_of_date}"
    )


@cli.command(epilog=_EPILOG)
@click.option("--days", type=click.IntRange(1, 36500), help="Instead of RETENTION_DAYS.")
@click.option("--dry-run", is_flag=True, help="Only say what would be dropped.")
@click.option("--wait", type=float, help="Seconds to wait for another run to end.")
def expire(days: int | None, wait: float | None, *, dry_run: bool) -> None:
    """Drop the records of days that are older than RETENTION_DAYS.

    Age is counted from the newest processed delivery. Ledger, tiers, movements, changes and
    histories stay, and so does what is published.
    """
    from lending_club_pipeline.retention import expire as drop
    from lending_club_pipeline.warehouse import choose_warehouse

    settings = load_settings({"retention_days": days, "lock_wait_seconds": wait})
    warehouse = choose_warehouse(settings)
    with warehouse.session(read_only=dry_run):
        found = drop(warehouse, settings, dry_run=dry_run)
    for day in found:
        click.echo(f"{day.as_of_date}: {day.rows:,} rows, {day.landed_bytes:,} bytes landed")
    what = "would be dropped" if dry_run else "dropped"
    rows, size = sum(day.rows for day in found), sum(day.landed_bytes for day in found)
    click.echo(f"{len(found)} days {what}: {rows:,} rows, {size:,} bytes landed.")


@cli.command(epilog=_EPILOG)
@click.argument("one", type=_DATE, metavar="DATE")
@click.argument("other", type=_DATE, metavar="DATE")
@click.option("--account", help="Look at this account alone.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="Accounts that are shown of each reason.",
)
@click.option("--csv", type=_FOLDER, help="Write every account that changed into this file.")
@click.option("--wait", type=float, help="Seconds to wait for a run that has the database.")
def diff(
    one: dt.datetime,
    other: dt.datetime,
    account: str | None,
    limit: int,
    csv: Path | None,
    wait: float | None,
) -> None:
    """Say what changed between two processed deliveries, and why, to the account.

    An account counts for each of its reasons, and once in the total, which is the difference
    between both ledgers.
    """
    from rich.console import Console

    from lending_club_pipeline.explanations.differences import find_differences, write_differences
    from lending_club_pipeline.explanations.telling_differences import (
        difference_table,
        example_lines,
        verdict,
    )
    from lending_club_pipeline.terminal import WIDTH_OF_FILES
    from lending_club_pipeline.warehouse import choose_warehouse

    warehouse = choose_warehouse(load_settings({"lock_wait_seconds": wait}))
    with warehouse.session(read_only=True):
        found = find_differences(warehouse, one.date(), other.date(), limit, account)
        rows = write_differences(warehouse, one.date(), other.date(), csv) if csv else 0
    console = Console(highlight=False)
    console.width = max(console.width, WIDTH_OF_FILES)
    console.print(difference_table(found))
    if account is None:
        click.echo(verdict(found))
    elif not found.by_reason:
        click.echo(f"Account {account} did not change.")
    for line in example_lines(found):
        click.echo(line)
    if csv:
        click.echo(f"\n{csv}: {rows:,} accounts")
    if account is None and not found.adds_up:
        sys.exit(FAILED)


@cli.command(epilog=_EPILOG)
@click.option("--customers", type=click.IntRange(min=0), required=True, help="Customers a day.")
@click.option("--accounts", type=click.IntRange(min=0), required=True, help="Accounts a day.")
@click.option("--to", type=_FOLDER, required=True, help="Folder for the deliveries.")
@click.option(
    "--dirty",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Share of dirty records, spread over every kind of dirt.",
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
@click.option(
    "--first-day", type=_DATE, metavar="DATE", help="Date of the first delivery, YYYY-MM-DD."
)
@click.option(
    "--compression",
    type=click.Choice(["none", "gz", "zst"]),
    default="none",
    show_default=True,
    help="Form of the files.",
)
@click.option("--control", is_flag=True, help="Write control totals (control.csv) beside them.")
@click.option("--overwrite", is_flag=True, help="Replace deliveries that are there.")
def generate(
    customers: int,
    accounts: int,
    to: Path,
    dirty: float,
    days: int,
    change: float,
    seed: int,
    first_day: dt.datetime | None,
    compression: Literal["none", "gz", "zst"],
    *,
    control: bool,
    overwrite: bool,
) -> None:
    """Make deliveries of any size, deterministic by seed.

    Undated unless there are several days or a first day.
    """
    from lending_club_pipeline.synthetic.generating import generate_deliveries
    from lending_club_pipeline.terminal import Progress

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
            first_day=_first_day(first_day, days),
            compression=compression,
            control=control,
            threads=settings.duckdb_threads,
            memory_bytes=settings.engine_memory_bytes,
            overwrite=overwrite,
            on_progress=progress.show,
        )
    for delivery in deliveries:
        click.echo(
            f"{delivery.folder}: {delivery.customers:,} customers, {delivery.accounts:,} accounts, "
            f"{sum(delivery.dirt.values()):,} of these records dirty"
        )


def _first_day(given: dt.datetime | None, days: int) -> dt.date | None:
    if given is not None:
        return given.date()
    today = dt.datetime.now(dt.UTC).date()
    return today - dt.timedelta(days=days - 1) if days > 1 else None


@cli.command(epilog=_EPILOG)
@click.option("--inputs", type=_FOLDER, help="Folder of deliveries instead of INPUT_PATH.")
@click.option("--outputs", type=_FOLDER, help="Folder for outputs instead of OUTPUT_PATH.")
def doctor(inputs: Path | None, outputs: Path | None) -> None:
    """Check what a run needs, and say for each what to do."""
    from lending_club_pipeline.doctor import examine
    from lending_club_pipeline.terminal import print_findings

    problems = print_findings(examine({"input_path": inputs, "output_path": outputs}))
    if problems:
        sys.exit(FAILED)


@cli.command(epilog=_EPILOG)
@click.option("--inputs", type=_FOLDER, help="Folder of deliveries instead of INPUT_PATH.")
@click.option("--as-of", type=_DATE, help="Business date of the delivery, YYYY-MM-DD.")
def parity(inputs: Path | None, as_of: dt.datetime | None) -> None:
    """Process a delivery on DuckDB and on Databricks, and compare what they made.

    Every model, row by row, and the bytes of every output. Needs the DATABRICKS_ variables; works
    in a schema of its own (DATABRICKS_SCHEMA with _parity behind it), which is dropped in the end.
    Shows the first rows that differ: personal data.
    """
    from lending_club_pipeline.parity.running import examine_parity
    from lending_club_pipeline.terminal import Progress, print_parity

    settings = load_settings({"input_path": inputs})
    with Progress() as progress, tempfile.TemporaryDirectory(prefix="parity-") as folder:
        date = as_of.date() if as_of else None
        found = examine_parity(settings, date, Path(folder), progress.show)
    print_parity(found)
    if not found.is_equal:
        sys.exit(FAILED)


@cli.command(epilog=_EPILOG)
@click.option("--port", type=int, default=3000, show_default=True, help="Port of the web page.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
def ui(port: int, host: str) -> None:
    """Open Dagster on a web page.

    Lineage, runs, checks, schedule and sensor; until you press Ctrl+C.
    """
    from lending_club_pipeline.defs.automation.homes import prepare_home

    home = prepare_home(load_settings().dagster_home)
    os.environ["DAGSTER_HOME"] = str(home)
    click.echo(f"Dagster on http://{host}:{port} (run history in {home})", err=True)
    module = "lending_club_pipeline.definitions"
    dagster = str(Path(sys.executable).with_name("dagster"))
    sys.stderr.flush()
    os.execv(dagster, [dagster, "dev", "-m", module, "-h", host, "-p", str(port)])  # noqa: S606 - no shell, our own arguments


def main() -> None:
    """Run the command line and turn errors into one line and an exit code."""
    # Dagster and dbt make hundreds of thousands of objects that live as long as the process;
    # looking for garbage among them as often as Python does would take a tenth of the time. A run
    # of any size makes three quarters of a million of them.
    gc.set_threshold(1_000_000, 20, 20)
    # A run that is told to terminate ends as one that is interrupted.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    code = _exit_code()
    sys.stdout.flush()
    sys.stderr.flush()
    # Everything is closed and on the disk; taking all those objects apart would take a second.
    # What libraries have asked to do at the end is still done.
    atexit._run_exitfuncs()  # noqa: SLF001 - has no public name
    os._exit(code)


def _exit_code() -> int:
    try:
        cli(standalone_mode=False)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("Interrupted. Run again: nothing has to be cleaned up.", err=True)
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return WRONG_USAGE
    except PipelineError as error:
        if "--debug" in sys.argv:
            traceback.print_exception(error)
        click.echo(f"Error: {error}", err=True)
        return _code_of(error)
    except Exception as error:  # noqa: BLE001 - the last one to catch it says so
        traceback.print_exception(error)
        return FAILED
    return SUCCESS


def _code_of(error: PipelineError) -> int:
    if isinstance(error, RefusedDeliveryError):
        return REFUSED
    return WRONG_USAGE if isinstance(error, ConfigurationError) else FAILED
