"""lending-club: the command line. It parses and prints; it decides nothing."""

import gc
import io
import os
import signal
import sys
import traceback
import warnings
from typing import Final

import click

from lending_club_pipeline.cli.alerts import alerts
from lending_club_pipeline.cli.approve import approve
from lending_club_pipeline.cli.audit import audit
from lending_club_pipeline.cli.close_month import close_month
from lending_club_pipeline.cli.conventions import (
    EPILOG,
    FAILED,
    INTERRUPTED,
    REFUSED,
    SUCCESS,
    WRONG_USAGE,
)
from lending_club_pipeline.cli.diff import diff
from lending_club_pipeline.cli.doctor import doctor
from lending_club_pipeline.cli.expire import expire
from lending_club_pipeline.cli.explain import explain
from lending_club_pipeline.cli.generate import generate
from lending_club_pipeline.cli.metrics import metrics
from lending_club_pipeline.cli.parity import parity
from lending_club_pipeline.cli.run import run
from lending_club_pipeline.cli.services import code_server, configure, health, ui
from lending_club_pipeline.cli.status import status
from lending_club_pipeline.cli.streams import use_lenient_streams
from lending_club_pipeline.config.environment import forget_settings_of_dagster
from lending_club_pipeline.contract.errors import (
    ConfigurationError,
    PipelineError,
    RefusedDeliveryError,
)

# `main` reads it when a command has failed.
_DEBUG: Final = "--debug"
# The modules of DuckDB and of its binding.
_BINDING: Final = ("duckdb", "_duckdb")
# Rights that files do not get.
_OWNER_ONLY: Final = 0o077
_OTHERS_WRITE: Final = 0o022


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lending-club-pipeline")
@click.option(_DEBUG, is_flag=True, expose_value=False, help="Show the stack trace of an error.")
@click.pass_context
def cli(context: click.Context) -> None:
    """Two CSV extracts in, an exact account_summary out.

    Settings come from the environment and from .env; see .env.example.
    """
    # Only the owner may read files that hold deliveries; generated deliveries hold no real data.
    given = os.umask(_OWNER_ONLY)
    if context.invoked_subcommand == generate.name:
        os.umask(given | _OTHERS_WRITE)


for _command in (
    *(run, close_month, approve, expire),
    *(status, alerts, metrics, audit, explain, diff),
    *(doctor, parity, ui, generate),
    *(configure, code_server, health),
):
    cli.add_command(_command)


def main() -> None:
    """Run the command line and turn errors into one line and an exit code."""
    use_lenient_streams()
    forget_settings_of_dagster()
    _show_warnings_only()
    # A run of one date makes a million objects, which live as long as the process. Looking for
    # garbage among them as often as Python does would take a tenth of the time.
    gc.set_threshold(1_500_000, 20, 20)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character must not fail the command.
            stream.reconfigure(errors="replace")
    # SIGTERM ends a run like Ctrl+C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    code = _exit_code()
    if code == SUCCESS:
        _skip_search_at_end()
    sys.exit(code)


def _show_warnings_only() -> None:
    """Show warnings of libraries that `PYTHONWARNINGS` would make errors: they fail no run."""
    if any(option.startswith("e") for option in sys.warnoptions):
        warnings.simplefilter("default")


def _skip_search_at_end() -> None:
    """Let Python end without looking for garbage among a million objects of Dagster and dbt.

    It looks more than once, which takes a tenth of a small run. After a failure it may look:
    tracebacks hold connections, which DuckDB's binding would list on standard error as leaked.
    """
    # At the end Python empties a module only if something refers to it; others keep their objects,
    # which the binding would list, too. A frozen list that holds itself is never freed.
    kept: list[object] = [
        module for name, module in sys.modules.items() if name.split(".")[0] in _BINDING
    ]
    kept.append(kept)
    gc.freeze()


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
        if _DEBUG in sys.argv:
            traceback.print_exception(error)
        code = _code_of(error)
        click.echo(f"{'Refused' if code == REFUSED else 'Error'}: {error}", err=True)
        return code
    except Exception as error:  # noqa: BLE001 - no other code reports it
        traceback.print_exception(error)
        return FAILED
    return SUCCESS


def _code_of(error: PipelineError) -> int:
    if isinstance(error, RefusedDeliveryError):
        return REFUSED
    return WRONG_USAGE if isinstance(error, ConfigurationError) else FAILED
