"""Render the page: one self-contained file, with the same bytes for the same data."""

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from itertools import groupby
from typing import Any, Final, Literal

from jinja2 import Environment, StrictUndefined

from lending_club_pipeline.contract.changes import change_kinds
from lending_club_pipeline.contract.numbers import (
    format_change,
    format_count,
    format_money,
    format_percent,
    format_rate,
    format_share,
)
from lending_club_pipeline.contract.reasons import explain
from lending_club_pipeline.contract.stages import stages
from lending_club_pipeline.publish.report import words
from lending_club_pipeline.publish.report.charts import balances_by_tier, charts
from lending_club_pipeline.publish.report.data import Example, Figures, Report, stage_lines
from lending_club_pipeline.publish.report.moved import TITLES, change_in_percent, moved_lines
from lending_club_pipeline.reconcile.checks import CheckResult

# Number of decisions that fit on the first screen beside the changes.
_SHOWN_DECISIONS: Final = 5
_SCRIPTS: Final = ("assets/chart.umd.min.js", "assets/chartjs-chart-sankey.min.js", "charts.js")
# Texts that could end the data block or begin a comment in it.
_JSON_ESCAPES: Final = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
_SHOWN_REASONS: Final = 2


@dataclass(frozen=True)
class Comparison:
    """A number of this delivery and of the previous one, as texts."""

    title: str
    before: str
    now: str
    change: str


def render(report: Report) -> str:
    """Return the report as one HTML page.

    Scripts and style stand in the page, and its Content-Security-Policy allows exactly these, by
    their hashes, and nothing from elsewhere.
    """
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "rows": format_count,
        "money": format_money,
        "rate": format_rate,
        "in_words": words.date_in_words,
        "explain": explain,
    }
    return environment.from_string(_text("template.html.jinja")).render(_context(report))


def _context(report: Report) -> dict[str, Any]:
    drawn = charts(report)
    scripts, style = [_without_source_map(_text(name)) for name in _SCRIPTS], _text("style.css")
    return {
        "report": report,
        "now": report.figures.ledger,
        "totals": report.figures.totals,
        "files": {
            name: list(stage_lines(report.figures.ledger, name)) for name in sorted(stages())
        },
        "tiers": [list(of_it) for _, of_it in groupby(report.figures.tiers, words.tier)],
        "checks": sorted(report.checks, key=_urgency),
        "passed": sum(check.passed for check in report.checks),
        "excluded": report.figures.ledger.all_excluded,
        "decisions": decisions(report),
        "shown_decisions": _SHOWN_DECISIONS,
        "changed": [change for change in report.changes if change.accounts],
        "delivered": _delivered(report.figures),
        "comparison": _comparison(report),
        "tier_comparison": _tier_comparison(report),
        "moved": moved_lines(report.movements),
        "drawn": drawn,
        "change_kinds": change_kinds(),
        "difference": words.change,
        "signed": format_change,
        "found": words.found,
        "percent": format_share,
        "tier_name": words.tier,
        "others": _other_reasons,
        "figures": json.dumps(drawn, sort_keys=True).translate(_JSON_ESCAPES),
        "style": style,
        "scripts": scripts,
        "policy": _policy(scripts, style),
        "licences": _text("assets/README.md").partition("## Licences\n")[2].strip(),
    }


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _without_source_map(script: str) -> str:
    return script.partition("\n//# sourceMappingURL=")[0]


def _policy(scripts: list[str], style: str) -> str:
    allowed = " ".join(_hash(script) for script in scripts)
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_hash(style)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _urgency(check: CheckResult) -> tuple[bool, bool, str, str]:
    return check.passed, check.severity != "error", check.asset, check.name


def _delivered(figures: Figures) -> int:
    return sum(figures.ledger.rows(source_file, "records") for source_file in stages())


def _other_reasons(example: Example, reason: str) -> str:
    return ", ".join(explain(it).title for it in example.reasons if it != reason)


def _comparison(report: Report) -> list[Comparison]:
    if report.previous is None:
        return []
    now, before = report.figures, report.previous
    return [
        _compared("Customers delivered", *_records_of(before, now, "Customer.csv")),
        _compared("Accounts delivered", *_records_of(before, now, "accounts.csv")),
        _compared("Records set aside", before.ledger.all_excluded, now.ledger.all_excluded),
        _compared("Savings accounts", before.totals.accounts, now.totals.accounts),
        _compared("Original balance", before.totals.original_balance, now.totals.original_balance),
        _compared("Annual interest", before.totals.annual_interest, now.totals.annual_interest),
        _compared("New balance", before.totals.new_balance, now.totals.new_balance),
    ]


def _records_of(before: Figures, now: Figures, source_file: str) -> tuple[int, int]:
    return before.ledger.rows(source_file, "records"), now.ledger.rows(source_file, "records")


def _compared(title: str, before: Decimal | int, now: Decimal | int) -> Comparison:
    return Comparison(title, f"{before:,}", f"{now:,}", words.change(now, before))


def _tier_comparison(report: Report) -> list[Comparison]:
    if report.previous is None:
        return []
    return [
        _compared(name, before, now)
        for name, before, now in balances_by_tier(report.figures, report.previous)
    ]


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
