"""Data of the charts for `charts.js`: numbers for the shapes, exact texts for the labels.

The numbers are floats, for drawing only; people read the texts.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from lending_club_pipeline.contract.numbers import format_count, format_money
from lending_club_pipeline.contract.reasons import explain
from lending_club_pipeline.publish.report import words
from lending_club_pipeline.publish.report.data import (
    Figures,
    ReasonCount,
    Report,
    TierTotals,
    stage_lines,
)
from lending_club_pipeline.reconcile.ledger import DeliveryLedger, LedgerEntry


def charts(report: Report) -> dict[str, dict[str, Any]]:
    """Describe the charts by the id of their element in the page, without empty charts."""
    ledger, tiers = report.figures.ledger, report.figures.tiers
    described = {
        "accounts-rows": _flow(ledger, "accounts.csv", _row_count, _row_text),
        "accounts-money": _flow(ledger, "accounts.csv", _balance, _balance_text),
        "customers-rows": _flow(ledger, "Customer.csv", _row_count, _row_text),
        "reasons": _reasons(report.reasons),
        "tier-balance": _by_tier(tiers, lambda it: it.original_balance),
        "tier-interest": _by_tier(tiers, lambda it: it.annual_interest),
    }
    if report.previous is not None:
        described["comparison"] = _comparison(report.figures, report.previous)
    return {name: chart for name, chart in described.items() if _has_shapes(chart)}


def _has_shapes(chart: dict[str, Any]) -> bool:
    values = [node["value"] for node in chart.get("nodes", ())]
    return any(values) or any(any(series["values"]) for series in chart.get("series", ()))


def _row_count(entry: LedgerEntry) -> float:
    return float(entry.row_count)


def _row_text(entry: LedgerEntry) -> str:
    return format_count(entry.row_count)


def _balance(entry: LedgerEntry) -> float:
    return float(entry.balance or 0)


def _balance_text(entry: LedgerEntry) -> str:
    return format_money(entry.balance or Decimal(0))


def _flow(
    ledger: DeliveryLedger,
    source_file: str,
    value: Callable[[LedgerEntry], float],
    text: Callable[[LedgerEntry], str],
) -> dict[str, Any]:
    return {
        "kind": "flow",
        "money": value is _balance,
        "nodes": [
            {
                "id": line.stage.name,
                "parent": line.stage.parent,
                "label": line.stage.title,
                "value": value(line.entry),
                "text": text(line.entry),
            }
            for line in stage_lines(ledger, source_file)
        ],
    }


def _reasons(counts: Sequence[ReasonCount]) -> dict[str, Any]:
    return {
        "kind": "bars",
        "horizontal": True,
        "money": False,
        "stacked": True,
        "labels": [explain(count.reason).title for count in counts],
        "series": [
            _series(name, role, [it.records.get(name, 0) for it in counts], format_count)
            for name, role in (("accounts.csv", "first"), ("Customer.csv", "second"))
        ],
    }


def _series(
    label: str, role: str, values: Sequence[Any], text: Callable[[Any], str]
) -> dict[str, Any]:
    return {
        "label": label,
        "role": role,
        "values": [float(value) for value in values],
        "texts": [text(value) for value in values],
    }


def _by_tier(
    tiers: Sequence[TierTotals], amount: Callable[[TierTotals], Decimal]
) -> dict[str, Any]:
    return {
        "kind": "bars",
        "horizontal": False,
        "money": True,
        "stacked": True,
        "labels": list(dict.fromkeys(words.tier(tier) for tier in tiers)),
        "series": [
            _series(
                label,
                role,
                [amount(tier) for tier in tiers if tier.with_loan_bonus == with_bonus],
                format_money,
            )
            for label, role, with_bonus in (
                ("without loan bonus", "first", False),
                ("with loan bonus", "second", True),
            )
        ],
    }


def _comparison(now: Figures, before: Figures) -> dict[str, Any]:
    return {
        "kind": "bars",
        "horizontal": False,
        "money": True,
        "stacked": False,
        "labels": [tier for tier, *_ in balances_by_tier(now, before)],
        "series": [
            _series(
                words.date_in_words(figures.ledger.as_of_date),
                role,
                [line[at] for line in balances_by_tier(now, before)],
                format_money,
            )
            for figures, role, at in ((before, "before", 1), (now, "first", 2))
        ],
    }


def balances_by_tier(now: Figures, before: Figures) -> list[tuple[str, Decimal, Decimal]]:
    """Compare the original balances by tier: its name, the balance before, the balance now."""
    ordered = sorted((*now.tiers, *before.tiers), key=lambda it: it.lower_bound)
    return [
        (name, _balance_of(before, name), _balance_of(now, name))
        for name in dict.fromkeys(words.tier(tier) for tier in ordered)
    ]


def _balance_of(figures: Figures, name: str) -> Decimal:
    of_it = (it.original_balance for it in figures.tiers if words.tier(it) == name)
    return sum(of_it, Decimal("0.00"))
