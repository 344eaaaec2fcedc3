"""Content of the report: numbers, reasons and places; no names, no raw fields."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from lending_club_pipeline.contract.stages import Stage, main_branch_first
from lending_club_pipeline.reconcile.checks import CheckResult
from lending_club_pipeline.reconcile.ledger import DeliveryLedger, LedgerEntry
from lending_club_pipeline.reconcile.movements import Movements

_NOTHING: Final = Decimal("0.00")


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
    """Sums over all tiers."""

    accounts: int
    original_balance: Decimal
    annual_interest: Decimal
    new_balance: Decimal


@dataclass(frozen=True)
class Example:
    """The place of a record that is not used, without its values.

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
        """Sums over all tiers."""
        return Totals(
            sum(tier.accounts for tier in self.tiers),
            sum((tier.original_balance for tier in self.tiers), _NOTHING),
            sum((tier.annual_interest for tier in self.tiers), _NOTHING),
            sum((tier.new_balance for tier in self.tiers), _NOTHING),
        )

    @property
    def add_up(self) -> bool:
        """Whether the tiers add up to the published accounts and balance in the ledger."""
        published = self.ledger.entries["accounts.csv", "published"]
        totals = self.totals
        return (totals.accounts, totals.original_balance) == (
            published.row_count,
            published.balance,
        )


@dataclass(frozen=True)
class Change:
    """Accounts with one kind of change since the previous delivery, with both balances.

    Accounts of either type that have a valid customer; see docs/data-model.md.
    """

    change_kind: str
    previous_date: dt.date
    accounts: int
    balance_before: Decimal
    balance_after: Decimal


@dataclass(frozen=True)
class Report:
    """The whole content of the report.

    Attributes:
        figures: the delivery that is published.
        previous: the previous delivery, if there is one.
        reasons: why records are not used, the most frequent first.
        checks: the checks of the run that published it.
        movements: movements against the previous delivery, and whether they hold the delivery.
        changes: changes of its accounts since the previous delivery; empty for the first one.
        currency: the accounts' currency, as its ISO 4217 code.
    """

    figures: Figures
    previous: Figures | None
    reasons: tuple[ReasonCount, ...]
    checks: tuple[CheckResult, ...]
    movements: Movements
    changes: tuple[Change, ...]
    currency: str


@dataclass(frozen=True)
class StageLine:
    """A stage with the numbers of one delivery."""

    stage: Stage
    entry: LedgerEntry


def stage_lines(ledger: DeliveryLedger, source_file: str) -> Iterator[StageLine]:
    """Return the stages of a file, each with its line of the ledger."""
    for stage in main_branch_first(source_file):
        yield StageLine(stage, ledger.entries[source_file, stage.name])
