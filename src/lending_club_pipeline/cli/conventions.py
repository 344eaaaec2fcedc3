"""Conventions of all commands: exit codes, options, the end of a run."""

import datetime as dt
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from lending_club_pipeline.contract.locations import Location, parse_location

if TYPE_CHECKING:
    from lending_club_pipeline.runs.reports import RunReport

SUCCESS: Final = 0
FAILED: Final = 1
WRONG_USAGE: Final = 2
REFUSED: Final = 3
HELD: Final = 4
INTERRUPTED: Final = 130

_MEANINGS: Final = {
    SUCCESS: "success",
    FAILED: "failed",
    WRONG_USAGE: "wrong usage or setting",
    REFUSED: "delivery refused",
    HELD: "delivery held until somebody approves it",
    INTERRUPTED: "interrupted",
}


def exit_codes(*others: int) -> str:
    """Return the exit codes of a command, for its help.

    Args:
        others: codes that not every command has.
    """
    possible = sorted({SUCCESS, FAILED, WRONG_USAGE, INTERRUPTED, *others})
    return f"Exit codes: {', '.join(f'{code} {_MEANINGS[code]}' for code in possible)}."


# The base class is generic only since click 8.4; older versions are allowed.
class _Date(click.ParamType):  # type: ignore[type-arg]
    """A date in one format; the errors of click's own type show Python's format codes."""

    def __init__(self, name: str, code: str, shown: str) -> None:
        self.name = name
        self._code = code
        self._shown = shown

    def convert(
        self, value: str | dt.date, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.date:
        if isinstance(value, dt.date):
            return value
        try:
            return dt.datetime.strptime(value, self._code).date()  # noqa: DTZ007 - a date alone
        except ValueError:
            self.fail(f"{value!r} is not a {self.name}: write {self._shown}.", param, ctx)


class _Seconds(click.ParamType):  # type: ignore[type-arg]  # as above
    """Seconds to wait. Its errors name the option; those of the settings name the variable."""

    name = "seconds"

    def convert(
        self, value: str | float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not 0 <= seconds < math.inf:
            self.fail(
                f"{value!r} is not allowed: write a number of seconds, 0 or more.", param, ctx
            )
        return seconds


class _Location(click.ParamType):  # type: ignore[type-arg]  # as above
    """A folder, or a prefix of an object store."""

    name = "path"

    def convert(
        self, value: str | Location, param: click.Parameter | None, ctx: click.Context | None
    ) -> Location:
        try:
            return parse_location(str(value))
        except ValueError as error:
            self.fail(f"{value!s} is not allowed: {error}.", param, ctx)


EPILOG: Final = exit_codes(REFUSED, HELD)
FOLDER: Final = click.Path(path_type=Path)
LOCATION: Final = _Location()
DATE: Final = _Date("date", "%Y-%m-%d", "YYYY-MM-DD")
MONTH: Final = _Date("month", "%Y-%m", "YYYY-MM")
SECONDS: Final = _Seconds()


def exit_unless_success(report: "RunReport") -> None:
    """End the process with the reason and its exit code if a run did not succeed."""
    if report.outcome == "success":
        return
    click.echo(f"{report.outcome.capitalize()}: {report.message}", err=True)
    click.echo(f"Logs: Dagster run {report.run_id} (make ui).", err=True)
    sys.exit({"refused": REFUSED, "held": HELD}.get(report.outcome, FAILED))
