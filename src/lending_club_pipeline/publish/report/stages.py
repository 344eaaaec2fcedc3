"""The stages of the ledger as the report draws them, with the numbers of a delivery."""

from collections.abc import Iterator
from dataclasses import dataclass

from lending_club_pipeline.contract.stages import Stage, main_branch_first
from lending_club_pipeline.reconcile.ledger import DeliveryLedger, LedgerEntry


@dataclass(frozen=True)
class StageLine:
    """A stage with the numbers of one delivery."""

    stage: Stage
    entry: LedgerEntry


def stage_lines(ledger: DeliveryLedger, source_file: str) -> Iterator[StageLine]:
    """Return the stages of a file, each with its line of the ledger."""
    for stage in main_branch_first(source_file):
        yield StageLine(stage, ledger.entries[source_file, stage.name])
