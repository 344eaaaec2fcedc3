"""The output of `lending-club status`: a line per date, open problems, remedies."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lending_club_pipeline.operating.conditions import Alert, Status
from lending_club_pipeline.operating.measurements import Sample
from lending_club_pipeline.operating.rehearsal import Rehearsal
from lending_club_pipeline.present.terminal import console_for_tables
from lending_club_pipeline.runs.overview import SETTLED, DayOverview

_STYLES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("published", "processed"), "green"),
    **dict.fromkeys(("held", "refused", "failed", "interrupted"), "red"),
    **dict.fromkeys(("new", "missing"), "yellow"),
    "expired": "dim",
}
_INTERRUPTED: Final = (
    "Interrupted: a run builds this date now, or its process was ended. The next run completes it."
)


def status_as_json(status: Status) -> str:
    """Return a status for programs."""
    found = {
        "days": [_day_as_json(day) for day in status.seen.days],
        "problems": [_alert_as_json(alert, status.dagster_url) for alert in status.alerts],
        "waiting": list(status.seen.waiting),
        "notes": list(status.notes),
    }
    return json.dumps(found, indent=2)


def _day_as_json(day: DayOverview) -> dict[str, Any]:
    return {
        "as_of_date": day.as_of_date.isoformat(),
        "status": day.standing,
        "delivery": day.delivery,
        "message": day.message,
        "built_at": None if day.built_at is None else f"{day.built_at.isoformat()}Z",
        "published_at": None if day.published_at is None else f"{day.published_at.isoformat()}Z",
        "run_id": day.run_id,
    }


def _alert_as_json(alert: Alert, dagster_url: str) -> dict[str, Any]:
    return {
        **alert.labels,
        "summary": alert.summary,
        "what_to_do": alert.remedy,
        "since": None if alert.since is None else alert.since.isoformat(),
        "run_id": alert.run_id,
        "link": alert.link(dagster_url),
    }


def print_status(status: Status, last: int) -> None:
    """Print a status for people.

    Args:
        status: the status.
        last: number of newest dates to show; older dates are shown only if they have a problem.
    """
    console = console_for_tables()
    _print_days(console, status.seen.days, last)
    for reason in status.seen.waiting:
        console.print(Text(f"Not taken: {reason}"), soft_wrap=True)
    for note in status.notes:
        console.print(Text(note, style="dim"), soft_wrap=True)
    for alert in status.alerts:
        _print_alert(console, alert)
    is_interrupted = any(day.standing == "interrupted" for day in status.seen.days)
    if is_interrupted:
        console.print(Text(_INTERRUPTED), soft_wrap=True)
    if not status.alerts and not is_interrupted:
        console.print(Text("Nothing is wrong.", style="bold"))


def _print_days(console: Console, days: Sequence[DayOverview], last: int) -> None:
    older = days[: max(len(days) - last, 0)]
    shown = [day for day in older if day.standing not in SETTLED] + list(days[len(older) :])
    if shown:
        console.print(_table(shown))
    if len(shown) < len(days):
        console.print(Text(f"{len(days) - len(shown)} older dates are processed or expired."))
    if not days:
        console.print("No delivery was processed yet, and the inputs hold none.")


def _table(days: Sequence[DayOverview]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for title in ("business date", "status", "delivery", "built (UTC)", "published (UTC)"):
        table.add_column(title)
    for day in days:
        table.add_row(
            day.as_of_date.isoformat(),
            Text(day.standing, style=_STYLES[day.standing]),
            day.delivery,
            "" if day.built_at is None else f"{day.built_at:%Y-%m-%d %H:%M}",
            "" if day.published_at is None else f"{day.published_at:%Y-%m-%d %H:%M}",
        )
    return table


def _print_alert(console: Console, alert: Alert) -> None:
    style = "red" if alert.severity == "critical" else "yellow"
    about = " ".join(alert.about.values())
    line = Text.assemble((f"{alert.name} {about}: ", style), alert.summary)
    console.print(line, soft_wrap=True)
    console.print(Text(f"  {alert.remedy}"), soft_wrap=True)
    if alert.run_id:
        console.print(Text(f"  Dagster run {alert.run_id}", style="dim"), soft_wrap=True)


def print_rehearsal(found: Rehearsal) -> None:
    """Print the receivers of each test alert, and how many messages were delivered."""
    console = Console(highlight=False)
    for name, receivers in found.receivers.items():
        told = ", ".join(receivers)
        line = f"{name}: {told}" if told else f"{name}: no receiver. Correct its route."
        console.print(Text(line, style="" if told else "red"), soft_wrap=True)
    for name, (sent, failed) in found.messages.items():
        line = f"{name}: {sent} messages taken" + (f", {failed} not taken" if failed else "")
        console.print(Text(line, style="red" if failed else "green"), soft_wrap=True)
    if not found.messages:
        words = "No message was sent yet. Wait longer (--wait), or look at a silence or its log."
        console.print(Text(words, style="red"))
    elif found.failed:
        console.print("The log of Alertmanager says why a message was not taken.")


def print_samples(samples: Sequence[Sample]) -> None:
    """Print every value on a line."""
    for sample in samples:
        labels = ", ".join(f"{name}={value}" for name, value in sample.labels.items())
        click.echo(f"{sample.measurement.prometheus_name}{{{labels}}} {sample.value:g}")
