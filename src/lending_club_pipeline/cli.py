"""lending-club: the command line. It parses and prints; it decides nothing."""

import datetime as dt
import sys
from pathlib import Path
from typing import Final

import click

from lending_club_pipeline.errors import ConfigurationError, PipelineError, RefusedDeliveryError
from lending_club_pipeline.settings import load_settings

SUCCESS: Final = 0
FAILED: Final = 1
WRONG_USAGE: Final = 2
REFUSED: Final = 3
INTERRUPTED: Final = 130

_EPILOG: Final = (
    "Exit codes: 0 success, 1 failed, 2 wrong usage or setting, 3 delivery refused, "
    "130 interrupted."
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
@click.option("--as-of", type=_DATE, help="Business date of the delivery, YYYY-MM-DD.")
@click.option("--inputs", type=_FOLDER, help="Folder of deliveries instead of INPUT_PATH.")
@click.option("--outputs", type=_FOLDER, help="Folder for outputs instead of OUTPUT_PATH.")
@click.option("--wait", type=float, help="Seconds to wait for another run to end.")
def run(
    as_of: dt.datetime | None, inputs: Path | None, outputs: Path | None, wait: float | None
) -> None:
    """Process one delivery from CSV to account_summary.

    Without --as-of it is today's delivery: the folder of today's date, else the files that lie in
    the inputs folder itself; where there are none, the newest dated folder.
    """
    from lending_club_pipeline.terminal import Progress, print_closing  # noqa: PLC0415

    settings = load_settings(
        {"input_path": inputs, "output_path": outputs, "lock_wait_seconds": wait}
    )
    with Progress() as progress:
        # Takes two seconds to import; other commands do not need it.
        from lending_club_pipeline.defs.automation.local_runs import (  # noqa: PLC0415
            process_delivery,
        )

        report = process_delivery(settings, as_of.date() if as_of else None, progress.show)
    if report.ledger is not None:
        print_closing(report.ledger, report.written)
    if report.outcome == "success":
        return
    click.echo(f"{report.outcome.capitalize()}: {report.message}", err=True)
    click.echo(f"Logs: Dagster run {report.run_id} (make ui).", err=True)
    sys.exit(REFUSED if report.outcome == "refused" else FAILED)


def main() -> None:
    """Run the command line and turn errors into one line and an exit code."""
    try:
        cli(standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        _stop("Interrupted. Run again: nothing has to be cleaned up.", INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(WRONG_USAGE)
    except RefusedDeliveryError as error:
        _explain(error, REFUSED)
    except ConfigurationError as error:
        _explain(error, WRONG_USAGE)
    except PipelineError as error:
        _explain(error, FAILED)


def _explain(error: PipelineError, code: int) -> None:
    if "--debug" in sys.argv:
        raise error
    _stop(f"Error: {error}", code)


def _stop(message: str, code: int) -> None:
    click.echo(message, err=True)
    sys.exit(code)
