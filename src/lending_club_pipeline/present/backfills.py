"""The table that closes a backfill."""

from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lending_club_pipeline.defs.backfills import BackfillReport, DayReport
from lending_club_pipeline.present.terminal import REASON_PARENTS, WIDTH_OF_FILES

_OUTCOMES: Final = {
    "success": ("processed", "green"),
    "unchanged": ("unchanged", "dim"),
    "refused": ("refused", "red"),
    "failed": ("failed", "red"),
    "held": ("held", "red"),
    "missing": ("no delivery", "yellow"),
    "expired": ("expired", "dim"),
}


def print_backfill(report: BackfillReport) -> set[str]:
    """Print a line per date with what became of it, and what was written; return the outcomes."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH_OF_FILES
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("business date")
    table.add_column("outcome")
    for title in ("records", "not used", "not savings", "published", "their balance"):
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
    return {day.outcome for day in report.days}


def _line_of_day(day: DayReport) -> tuple[str | Text, ...]:
    outcome = Text(_OUTCOMES[day.outcome][0], style=_OUTCOMES[day.outcome][1])
    if day.ledger is None:
        return day.as_of_date.isoformat(), outcome
    ledger = day.ledger
    total = dict.fromkeys(("records", "published", "not_savings"), 0)
    for entry in ledger.entries.values():
        if entry.stage in total:
            total[entry.stage] += entry.row_count
    unused = sum(it.row_count for it in ledger.entries.values() if it.stage in REASON_PARENTS)
    balance = ledger.entries["accounts.csv", "published"].balance
    return (
        day.as_of_date.isoformat(),
        outcome,
        f"{total['records']:,}",
        f"{unused:,}",
        f"{total['not_savings']:,}",
        f"{total['published']:,}",
        f"{balance:,.2f}",
    )


def _print_messages(console: Console, report: BackfillReport) -> None:
    for day in report.days:
        if day.message:
            console.print(Text(f"{day.as_of_date} {day.outcome}: {day.message}"), soft_wrap=True)
        if day.message and day.run_id:
            console.print(Text(f"  Logs: Dagster run {day.run_id} (make ui).", style="dim"))
