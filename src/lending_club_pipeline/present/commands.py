"""The closing lines of `lending-club run`."""

import json
from typing import Any, Final

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lending_club_pipeline.contract.numbers import format_money
from lending_club_pipeline.present.terminal import console_for_tables, print_closing
from lending_club_pipeline.runs.reports import CommandReport, DayReport

_OUTCOMES: Final = {
    "success": ("processed", "green"),
    "unchanged": ("unchanged", "dim"),
    "refused": ("refused", "red"),
    "failed": ("failed", "red"),
    "held": ("held", "red"),
    "missing": ("no delivery", "yellow"),
    "expired": ("expired", "dim"),
}

_PROBLEMS: Final = frozenset({"refused", "failed", "held"})


def report_as_json(report: CommandReport) -> str:
    """Return the result of a command for programs; money is text, to the cent."""
    found = {
        "days": [_day_as_json(day) for day in report.days],
        "published": None if report.published is None else report.published.isoformat(),
        "written": [str(path) for path in report.written],
    }
    return json.dumps(found, indent=2)


def _day_as_json(day: DayReport) -> dict[str, Any]:
    found: dict[str, Any] = {
        "as_of_date": day.as_of_date.isoformat(),
        "outcome": day.outcome,
        "message": day.message,
        "run_id": day.run_id,
    }
    if day.ledger is not None:
        found["ledger"] = {
            "is_closed": day.ledger.is_closed,
            "stages": [
                {
                    "source_file": entry.source_file,
                    "stage": entry.stage,
                    "rows": entry.row_count,
                    "balance": None if entry.balance is None else str(entry.balance),
                }
                for entry in day.ledger.entries.values()
            ],
            "reasons": [
                {"source_file": file, "reason": reason, "records": count}
                for (file, reason), count in day.ledger.reasons.items()
            ],
        }
    return found


def print_day(report: CommandReport, currency: str, *, is_named: bool) -> None:
    """Print the result of a single date; a problem goes to standard error.

    Args:
        report: result of the command.
        currency: currency of the amounts.
        is_named: whether the user named the date.
    """
    day = report.days[0]
    _say_if_late(report)
    if day.ledger is not None:
        print_closing(day.ledger, currency, report.written)
    else:
        for path in report.written:
            click.echo(f"  {path}")
    if day.outcome == "unchanged" and not report.written:
        click.echo(
            f"The delivery of {day.as_of_date} is unchanged since it was processed: there was "
            "nothing to do (--force processes it again)."
        )
    elif day.outcome == "unchanged":
        click.echo(
            f"The delivery of {day.as_of_date} is unchanged; the outputs were not the published "
            "ones, so they were published again."
        )
    elif day.outcome == "expired":
        which = "delivery" if is_named else "newest delivery"
        click.echo(
            f"The {which}, of {day.as_of_date}, was processed before, and its records are past "
            "RETENTION_DAYS: it was skipped (--as-of lands it again)."
        )
    elif day.outcome != "success":
        click.echo(f"{day.outcome.capitalize()}: {day.message}", err=True)
        click.echo(f"Logs: Dagster run {day.run_id} (make ui).", err=True)


def print_problems(report: CommandReport) -> None:
    """Print only problems, to standard error."""
    for day in report.days:
        if day.outcome in _PROBLEMS:
            said = f"{day.as_of_date} {day.outcome}: {day.message.rstrip('.')}."
            click.echo(f"{said} Logs: Dagster run {day.run_id}." if day.run_id else said, err=True)


def _say_if_late(report: CommandReport) -> None:
    """Name the published date if it is newer than all dates that were processed now."""
    done = [day.as_of_date for day in report.days if day.outcome == "success"]
    if report.published is not None and done and max(done) < report.published:
        click.echo(
            f"Published is still the delivery of {report.published}: "
            f"{max(done)} is an older day, and its numbers are not those of the outputs."
        )


def print_days(report: CommandReport, currency: str) -> None:
    """Print a line per date with its outcome, and the published files."""
    _say_if_late(report)
    console = console_for_tables()
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("business date")
    table.add_column("outcome")
    for title in ("records", "not used", "not savings", "published", f"their balance ({currency})"):
        table.add_column(title, justify="right")
    for day in report.days:
        table.add_row(*_line_of_day(day))
    console.print(table)
    _print_messages(console, report)
    closed = [day.ledger.is_closed for day in report.days if day.ledger is not None]
    if closed and all(closed):
        words = "Every record and every cent of these deliveries is accounted for."
        console.print(Text(words, style="bold"))
    for path in report.written:
        console.print(Text(f"  {path}"), soft_wrap=True)


def _line_of_day(day: DayReport) -> tuple[str | Text, ...]:
    outcome = Text(_OUTCOMES[day.outcome][0], style=_OUTCOMES[day.outcome][1])
    if day.ledger is None:
        return day.as_of_date.isoformat(), outcome
    ledger = day.ledger
    total = dict.fromkeys(("records", "published", "not_savings"), 0)
    for entry in ledger.entries.values():
        if entry.stage in total:
            total[entry.stage] += entry.row_count
    balance = ledger.entries["accounts.csv", "published"].balance
    return (
        day.as_of_date.isoformat(),
        outcome,
        f"{total['records']:,}",
        f"{ledger.all_excluded:,}",
        f"{total['not_savings']:,}",
        f"{total['published']:,}",
        "" if balance is None else format_money(balance),
    )


def _print_messages(console: Console, report: CommandReport) -> None:
    for day in report.days:
        if day.message:
            console.print(Text(f"{day.as_of_date} {day.outcome}: {day.message}"), soft_wrap=True)
        if day.message and day.run_id:
            console.print(Text(f"  Logs: Dagster run {day.run_id} (make ui).", style="dim"))
