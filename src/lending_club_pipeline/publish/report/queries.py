"""Read the content of the report from the warehouse: small results, by SQL of both engines."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from lending_club_pipeline.contract.changes import change_kinds
from lending_club_pipeline.contract.errors import OutputError
from lending_club_pipeline.publish.report.data import (
    Change,
    Example,
    Figures,
    ReasonCount,
    Report,
    TierTotals,
)
from lending_club_pipeline.reconcile.checks import CheckResult
from lending_club_pipeline.reconcile.ledger import DeliveryLedger
from lending_club_pipeline.reconcile.movements import read_movements
from lending_club_pipeline.warehouse.day_tables import dates_listed
from lending_club_pipeline.warehouse.protocol import Warehouse

_EXAMPLES: Final = 3


def read_report(
    warehouse: Warehouse,
    ledger: DeliveryLedger,
    previous: DeliveryLedger | None,
    checks: Sequence[CheckResult],
    currency: str,
) -> Report:
    """Read the content of the report.

    Args:
        warehouse: an open warehouse.
        ledger: ledger of the delivery that is published.
        previous: ledger of the previous delivery, or None; ignored if its tiers are not kept.
        checks: the checks of this run.
        currency: the accounts' currency, as its ISO 4217 code.

    Raises:
        OutputError: the tiers of the delivery do not add up to its ledger.
    """
    known = [ledger] if previous is None else [ledger, previous]
    tiers = _tiers(warehouse, [it.as_of_date for it in known])
    figures = Figures(ledger, tiers[ledger.as_of_date])
    if not figures.add_up:
        day = ledger.as_of_date.isoformat()
        raise OutputError(
            f"account_summary_by_tier of {day} does not add up to the ledger, so that a report "
            f"would be wrong. Process that delivery again: lending-club run --as-of {day}."
        )
    before = None if previous is None else Figures(previous, tiers[previous.as_of_date])
    return Report(
        figures,
        before if before is not None and before.add_up else None,
        _reason_counts(warehouse, ledger),
        tuple(checks),
        read_movements(warehouse, ledger.as_of_date),
        () if previous is None else _changes(warehouse, ledger.as_of_date),
        currency,
    )


def _tiers(warehouse: Warehouse, dates: Sequence[dt.date]) -> dict[dt.date, tuple[TierTotals, ...]]:
    tiers: dict[dt.date, list[TierTotals]] = {date: [] for date in dates}
    for row in warehouse.fetch(
        "select as_of_date, lower_bound, next_lower_bound, annual_base_rate, with_loan_bonus, "
        "interest_rate, accounts, original_balance, annual_interest, new_balance "
        "from account_summary_by_tier "
        f"where as_of_date in ({dates_listed(dates)}) order by lower_bound, with_loan_bonus"
    ):
        tiers[row.pop("as_of_date")].append(TierTotals(**row))
    return {date: tuple(of_date) for date, of_date in tiers.items()}


def _changes(warehouse: Warehouse, as_of_date: dt.date) -> tuple[Change, ...]:
    rows = warehouse.fetch(
        "select change_kind, previous_date, accounts, balance_before, balance_after "
        f"from delivery_changes where as_of_date = date '{as_of_date.isoformat()}'"
    )
    order = list(change_kinds())
    changes = (Change(**row) for row in rows)
    return tuple(sorted(changes, key=lambda it: order.index(it.change_kind)))


def _reason_counts(warehouse: Warehouse, ledger: DeliveryLedger) -> tuple[ReasonCount, ...]:
    examples = sorted(
        (_example(row) for row in warehouse.fetch(_first_records(ledger.as_of_date))),
        key=lambda it: (it.source_file, it.record_number or 0, it.line_number or 0),
    )
    records: dict[str, dict[str, int]] = {}
    for (source_file, reason), count in ledger.reasons.items():
        records.setdefault(reason, {})[source_file] = count
    counts = [
        ReasonCount(reason, by_file, tuple(_of_reason(examples, reason, by_file)))
        for reason, by_file in records.items()
    ]
    return tuple(sorted(counts, key=lambda it: (-it.total, it.reason)))


def _first_records(as_of_date: dt.date) -> str:
    """Select the first records of each combination of reasons, so that few rows are fetched."""
    return f"""
        select source_file, reasons, record_number, line_number
        from (
            select
                source_file, reasons, record_number, line_number,
                row_number() over (
                    partition by source_file, reasons order by record_number, line_number
                ) as place
            from quarantined_records
            where as_of_date = date '{as_of_date.isoformat()}'
        ) as numbered
        where place <= {_EXAMPLES}
    """


def _example(row: dict[str, Any]) -> Example:
    reasons = tuple(row["reasons"].split(";"))
    return Example(row["source_file"], row["record_number"], row["line_number"], reasons)


def _of_reason(
    examples: Sequence[Example], reason: str, source_files: Iterable[str]
) -> Iterator[Example]:
    for source_file in source_files:
        of_it = (it for it in examples if it.source_file == source_file and reason in it.reasons)
        yield from islice(of_it, _EXAMPLES)
