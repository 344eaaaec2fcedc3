"""What the commands have in common: exit codes, options, how a run ends."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from lending_club_pipeline.defs.automation.local_runs import RunReport

SUCCESS: Final = 0
FAILED: Final = 1
WRONG_USAGE: Final = 2
REFUSED: Final = 3
HELD: Final = 4
INTERRUPTED: Final = 130

EPILOG: Final = (
    "Exit codes: 0 success, 1 failed, 2 wrong usage or setting, 3 delivery refused, "
    "4 delivery held until somebody approves it, 130 interrupted."
)
FOLDER: Final = click.Path(path_type=Path)
DATE: Final = click.DateTime(["%Y-%m-%d"])


def exit_unless_success(report: "RunReport") -> None:
    """End the process with the reason and its exit code if a run did not succeed."""
    if report.outcome == "success":
        return
    click.echo(f"{report.outcome.capitalize()}: {report.message}", err=True)
    click.echo(f"Logs: Dagster run {report.run_id} (make ui).", err=True)
    sys.exit({"refused": REFUSED, "held": HELD}.get(report.outcome, FAILED))
