"""Output of the command line: progress during a run, and the table that closes it."""

import logging
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Self

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from lending_club_pipeline.contract.locations import Location
from lending_club_pipeline.contract.numbers import format_money
from lending_club_pipeline.contract.preflight_results import PreflightResult
from lending_club_pipeline.contract.reasons import explain
from lending_club_pipeline.contract.stages import stages
from lending_club_pipeline.reconcile.ledger import DeliveryLedger, LedgerEntry

if TYPE_CHECKING:
    # Not imported by a run.
    from lending_club_pipeline.parity.engines import Parity

_MARKS: Final = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red")}
WIDTH_OF_FILES: Final = 120
# A run logs its progress here; frequent steps have the level DEBUG.
_PROGRESS: Final = logging.getLogger("lending_club_pipeline.progress")


class _Moving:
    """The current step, and the time since the start."""

    def __init__(self) -> None:
        self.message = "Starting"
        self._spinner = Spinner("dots")
        self._began = time.monotonic()

    def __rich__(self) -> Spinner:
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        self._spinner.update(text=Text(f"{minutes}:{seconds:02} {self.message}"))
        return self._spinner


class Progress:
    """Shows the progress of a run: one moving line on a terminal, a few plain lines elsewhere.

    Args:
        is_quiet: show nothing.
        is_verbose: show each step elsewhere, too, such as each model that dbt builds.
    """

    def __init__(self, *, is_quiet: bool = False, is_verbose: bool = False) -> None:
        self._is_verbose = is_verbose
        self._console = Console(stderr=True, highlight=False, quiet=is_quiet)
        self._moving = _Moving()
        self._live: Live | None = None
        self._level = logging.NOTSET

    def __enter__(self) -> Self:
        if self._console.is_terminal and not self._console.quiet:
            # During a run, Dagster may redirect standard error into a file, where no line can move.
            terminal = os.fdopen(os.dup(sys.stderr.fileno()), "w")
            self._console = Console(file=terminal, highlight=False)
            self._live = Live(self._moving, console=self._console, transient=True)
            self._live.start()
        shows_steps = self._is_verbose or self._live is not None
        self._level = _PROGRESS.level
        _PROGRESS.setLevel(logging.DEBUG if shows_steps else logging.INFO)
        return self

    def __exit__(self, *_: object) -> None:
        _PROGRESS.setLevel(self._level)
        if self._live is not None:
            self._live.stop()
            self._console.file.close()

    def show(self, message: str) -> None:
        """Show the current step."""
        self._moving.message = message
        if self._live is None:
            self._console.print(Text(message), soft_wrap=True)


def print_preflight_results(findings: Iterable[PreflightResult]) -> int:
    """Print each result of the doctor at once; return the number of problems."""
    console = Console(highlight=False)
    problems = warnings = 0
    for finding in findings:
        mark, style = _MARKS[finding.verdict]
        first, *others = finding.detail.splitlines()
        line = Text.assemble((f"{mark} ", style), (f"{finding.subject}: ", "bold"), first)
        console.print(line, soft_wrap=True)
        for other in others:
            console.print(Text(f"    {other}", style="dim"), soft_wrap=True)
        problems += finding.verdict == "problem"
        warnings += finding.verdict == "warning"
    console.print(Text(_summary(problems, warnings), style="bold"))
    return problems


def _summary(problems: int, warnings: int) -> str:
    if problems:
        return f"Problems: {problems}. A run that starts now does not succeed."
    if warnings:
        return f"No problem is known; warnings: {warnings} (marked !). A run may succeed."
    return "Everything that a run needs is there."


def print_parity(parity: "Parity") -> None:
    """Print a verdict per model and file, with the first rows that differ."""
    console = Console(highlight=False)
    for model in parity.models:
        mark, style = _MARKS["ok" if model.is_equal else "problem"]
        rows = f"{model.rows[0]:,} rows" + (
            "" if model.rows[0] == model.rows[1] else f" on DuckDB, {model.rows[1]:,} on Databricks"
        )
        line = Text.assemble((f"{mark} ", style), (f"{model.name}: ", "bold"), rows)
        console.print(line, soft_wrap=True)
        for column, left, right in model.types:
            what = f"    {column} is {left or 'missing'} on DuckDB, {right or 'missing'} there"
            console.print(Text(what), soft_wrap=True)
        for engine, (count, first) in zip(
            ("DuckDB", "Databricks"), (model.only_left, model.only_right), strict=True
        ):
            if count:
                console.print(Text(f"    {count:,} rows on {engine} alone, such as"))
            for row in first:
                console.print(Text(f"      {_shown(row)}", style="dim"), soft_wrap=True)
    for name, is_same in parity.files.items():
        mark, style = _MARKS["ok" if is_same else "problem"]
        verdict = "the same bytes" if is_same else "other bytes"
        console.print(Text.assemble((f"{mark} ", style), (f"{name}: ", "bold"), verdict))
    words = "Both engines agree to the last digit." if parity.is_equal else "The engines differ."
    console.print(Text(words, style="bold"))


def _shown(row: Mapping[str, Any]) -> str:
    """Write a row on one line, with visible white space in texts."""
    return ", ".join(
        f"{column}={ascii(value) if isinstance(value, str) else value}"
        for column, value in row.items()
    )


def closing_table(ledger: DeliveryLedger, currency: str) -> Table:
    """Make the table that accounts for every record and every cent of a delivery."""
    title = f"Delivery of {ledger.as_of_date}"
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    table.add_column("", no_wrap=True)
    for heading in ("rows", f"balance ({currency})", "no balance"):
        table.add_column(heading, justify="right", no_wrap=True)
    for source_file, of_file in stages().items():
        table.add_section()
        table.add_row(Text(source_file, style="bold"))
        for stage in of_file:
            entry = ledger.entries[source_file, stage.name]
            style = "bold" if stage.name == "published" else ""
            words = Text("  " * stage.depth + stage.title.lower())
            table.add_row(words, *_numbers(entry), style=style)
            if stage.is_excluded and entry.row_count:
                _add_reasons(table, ledger, entry, stage.depth + 1)
    return table


def _add_reasons(table: Table, ledger: DeliveryLedger, entry: LedgerEntry, indent: int) -> None:
    for (source_file, reason), count in ledger.reasons.items():
        if source_file == entry.source_file and explain(reason).stage in entry.stage:
            label = Text("  " * indent + f"· {reason}", style="dim")
            table.add_row(label, Text(f"({count:,})", style="dim"))


def _numbers(entry: LedgerEntry) -> tuple[str, str, str]:
    return (
        f"{entry.row_count:,}",
        "" if entry.balance is None else format_money(entry.balance),
        "" if not entry.balance_unknown else f"{entry.balance_unknown:,}",
    )


def console_for_tables() -> Console:
    """Return a console; a file or a pipe has no width that a table would have to fit."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH_OF_FILES
    return console


def print_closing(ledger: DeliveryLedger, currency: str, written: Sequence[Location]) -> None:
    """Print the closing table, its verdict, and the published files."""
    console = console_for_tables()
    console.print(closing_table(ledger, currency))
    verdict = (
        "Every record and every cent is accounted for."
        if ledger.is_closed
        else "The ledger does not close: nothing of this delivery was published."
    )
    console.print(Text(verdict, style="bold"))
    console.print(Text("Counts in brackets repeat a record for each of its reasons.", style="dim"))
    for path in written:
        console.print(Text(f"  {path}"), soft_wrap=True)
