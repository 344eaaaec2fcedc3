"""`lending-club run`: process one delivery, or those of a range of dates."""

import datetime as dt
import sys
from collections.abc import Collection

import click

from lending_club_pipeline.cli.conventions import (
    DATE,
    EPILOG,
    FAILED,
    HELD,
    LOCATION,
    REFUSED,
    SECONDS,
)
from lending_club_pipeline.config.clock import Today
from lending_club_pipeline.config.settings import load_settings
from lending_club_pipeline.contract.locations import Location


@click.command(epilog=EPILOG)
@click.option("--as-of", type=DATE, help="Business date of the delivery, YYYY-MM-DD.")
@click.option("--from", "first", type=DATE, help="First date of a range of deliveries.")
@click.option("--to", "last", type=DATE, help="Last date of the range, today by default.")
@click.option("--force", is_flag=True, help="Process unchanged deliveries, too.")
@click.option("--inputs", type=LOCATION, help="Folder of deliveries instead of INPUT_PATH.")
@click.option("--outputs", type=LOCATION, help="Folder for outputs instead of OUTPUT_PATH.")
@click.option("--quiet", is_flag=True, help="Print only problems.")
@click.option("--verbose", is_flag=True, help="Print each step, also to a file or a pipe.")
@click.option("--wait", type=SECONDS, help="Seconds to wait for another run to end.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome of each date as JSON.")
def run(
    as_of: dt.date | None,
    first: dt.date | None,
    last: dt.date | None,
    inputs: Location | None,
    outputs: Location | None,
    wait: float | None,
    *,
    force: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Process one delivery, or a range, to account_summary.

    Without a date it takes today's folder, else the undated files, else the newest dated folder. An
    unchanged delivery is skipped. If the outputs were changed or lost, they are published again.
    """
    if (first is None and last is not None) or (first is not None and as_of is not None):
        raise click.UsageError("Name one date (--as-of), or a range of them (--from, --to).")
    settings = load_settings(
        {"input_path": inputs, "output_path": outputs, "lock_wait_seconds": wait}
    )
    _refuse_backward_range(first, last, settings.today())
    from lending_club_pipeline.cli.announcement import announce, warn_of_memory
    from lending_club_pipeline.present.terminal import Progress

    warn_of_memory(settings)
    with Progress(is_quiet=quiet, is_verbose=verbose) as progress:
        if not as_json:
            # With --json the report lists every date with its outcome.
            progress.show(f"{announce(settings, as_of, first, last)}; loading Dagster and dbt")
        # Takes two seconds to import; other commands do not need it.
        from lending_club_pipeline.defs.execution import carry_out
        from lending_club_pipeline.runs.outlook import Request

        report = carry_out(settings, Request(as_of, first, last, force), progress.show)
    from lending_club_pipeline.present.commands import (
        print_day,
        print_days,
        print_problems,
        report_as_json,
    )

    if as_json:
        click.echo(report_as_json(report))
    elif quiet:
        print_problems(report)
    elif first is None:
        print_day(report, settings.outputs.currency, is_named=as_of is not None)
    else:
        print_days(report, settings.outputs.currency)
    _end(report.outcomes)


def _end(outcomes: Collection[str]) -> None:
    """End the process with the exit code for the outcomes of the dates."""
    for outcome, code in (("failed", FAILED), ("refused", REFUSED), ("held", HELD)):
        if outcome in outcomes:
            sys.exit(code)


def _refuse_backward_range(first: dt.date | None, last: dt.date | None, today: Today) -> None:
    until = last or today.date
    if first is not None and first > until:
        shown = f"--to {last}" if last else f"today ({today}); name the last date by --to"
        raise click.UsageError(f"--from {first} is after {shown}.")
