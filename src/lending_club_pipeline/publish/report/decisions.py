"""Decisions that a reader of the report has to make, the most urgent first."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lending_club_pipeline.contract.numbers import format_count, format_percent
from lending_club_pipeline.contract.reasons import explain
from lending_club_pipeline.publish.report import words
from lending_club_pipeline.publish.report.data import Report
from lending_club_pipeline.publish.report.moved import TITLES, change_in_percent

_SHOWN_REASONS = 2


@dataclass(frozen=True)
class Decision:
    """A finding that needs a person.

    Attributes:
        urgency: `bad` stops publication, `warn` does not.
        title: the finding.
        remedy: the remedy.
        section: id of the section of the page that shows more.
    """

    urgency: Literal["bad", "warn"]
    title: str
    remedy: str
    section: str


def decisions(report: Report) -> tuple[Decision, ...]:
    """Return the findings that need a decision; empty if all is well."""
    return (*_open_ledger(report), *_held(report), *_checks(report), *_excluded(report))


def _open_ledger(report: Report) -> Iterator[Decision]:
    if not report.figures.ledger.is_closed:
        yield Decision("bad", "The ledger does not close", "Nothing is published of it.", "flow")


def _held(report: Report) -> Iterator[Decision]:
    for it in report.movements.measures:
        if it.is_beyond_limit and it.limit_percent is not None:
            yield Decision(
                "bad" if it.is_held else "warn",
                f"{TITLES[it.measure]}: {change_in_percent(it)}, "
                f"limit {format_percent(it.limit_percent)}",
                "Approve the delivery, or ask the sender for another one."
                if it.is_held
                else "The delivery was approved.",
                "moved",
            )


def _checks(report: Report) -> Iterator[Decision]:
    for check in report.checks:
        if not check.passed:
            yield Decision(
                "bad" if check.severity == "error" else "warn",
                check.description or check.name,
                words.found(check.found),
                "checks",
            )


def _excluded(report: Report) -> Iterator[Decision]:
    excluded = report.figures.ledger.all_excluded
    if excluded:
        most = ", ".join(
            f"{explain(it.reason).title} ({format_count(it.total)})"
            for it in report.reasons[:_SHOWN_REASONS]
        )
        yield Decision(
            "warn",
            f"{format_count(excluded)} records excluded",
            f"Return quarantine.csv to the sender. Most frequent: {most}.",
            "reasons-section",
        )
