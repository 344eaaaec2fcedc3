"""What the report says: read from the warehouse in small results, no names, no raw fields."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from lending_club_pipeline.outputs.closing import DeliveryLedger
from lending_club_pipeline.warehouse.protocol import Warehouse

_EXAMPLES: Final = 3
_NOTHING: Final = Decimal("0.00")


@dataclass(frozen=True)
class CheckResult:
    """How a check of this run ended.

    Attributes:
        name: its name.
        asset: the table or file that it checks.
        passed: whether it found nothing.
        severity: `error` stops publication, `warn` only tells.
        description: what it proves, in words; may be empty.
    """

    name: str
    asset: str
    passed: bool
    severity: str
    description: str


@dataclass(frozen=True)
class TierTotals:
    """The savings accounts of one interest tier, with or without the loan bonus.

    Rates are fractions of one year, amounts are in the accounts' currency.
    """

    lower_bound: Decimal
    next_lower_bound: Decimal | None
    annual_base_rate: Decimal
    with_loan_bonus: bool
    interest_rate: Decimal
    accounts: int
    original_balance: Decimal
    annual_interest: Decimal
    new_balance: Decimal


@dataclass(frozen=True)
class Totals:
    """What all tiers add up to."""

    accounts: int
    original_balance: Decimal
    annual_interest: Decimal
    new_balance: Decimal


@dataclass(frozen=True)
class Example:
    """Where a record that is not used stands; nothing of what it holds.

    Attributes:
        source_file: the delivered file.
        record_number: position among the landed records; None if it was rejected.
        line_number: physical line; None if it was landed.
        reasons: all of its reasons.
    """

    source_file: str
    record_number: int | None
    line_number: int | None
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class ReasonCount:
    """How many records have a reason, by source file, with the first of them."""

    reason: str
    records: Mapping[str, int]
    examples: tuple[Example, ...]

    @property
    def total(self) -> int:
        """Records of all files."""
        return sum(self.records.values())


@dataclass(frozen=True)
class Figures:
    """The numbers of one delivery: its ledger and its interest tiers."""

    ledger: DeliveryLedger
    tiers: tuple[TierTotals, ...]

    @property
    def totals(self) -> Totals:
        """What all tiers add up to."""
        return Totals(
            sum(tier.accounts for tier in self.tiers),
            sum((tier.original_balance for tier in self.tiers), _NOTHING),
            sum((tier.annual_interest for tier in self.tiers), _NOTHING),
            sum((tier.new_balance for tier in self.tiers), _NOTHING),
        )


@dataclass(frozen=True)
class Report:
    """All that the report shows.

    Attributes:
        figures: the delivery that is published.
        previous: the delivery before it, where there is one.
        reasons: why records are not used, the most frequent first.
        checks: the checks of the run that published it.
    """

    figures: Figures
    previous: Figures | None
    reasons: tuple[ReasonCount, ...]
    checks: tuple[CheckResult, ...]


def read_report(
    warehouse: Warehouse,
    ledger: DeliveryLedger,
    previous: DeliveryLedger | None,
    checks: Sequence[CheckResult],
) -> Report:
    """Read what the report shows.

    Args:
        warehouse: an open warehouse.
        ledger: ledger of the delivery that is published.
        previous: ledger of the delivery before it, or None.
        checks: the checks of this run.
    """
    return Report(
        Figures(ledger, _tiers(warehouse, ledger.as_of_date)),
        None if previous is None else Figures(previous, _tiers(warehouse, previous.as_of_date)),
        _reason_counts(warehouse, ledger),
        tuple(checks),
    )


def _tiers(warehouse: Warehouse, as_of_date: dt.date) -> tuple[TierTotals, ...]:
    rows = warehouse.fetch(
        "select lower_bound, next_lower_bound, annual_base_rate, with_loan_bonus, interest_rate, "
        "accounts, original_balance, annual_interest, new_balance from account_summary_by_tier "
        f"where as_of_date = date '{as_of_date.isoformat()}' order by lower_bound, with_loan_bonus"
    )
    return tuple(TierTotals(**row) for row in rows)


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
