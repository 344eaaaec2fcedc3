"""The stages of the ledger as a reader meets them: a tree whose branches add up to their trunk."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lending_club_pipeline.reconcile.ledger import DeliveryLedger, LedgerEntry


@dataclass(frozen=True)
class Stage:
    """A stage of the ledger.

    Attributes:
        name: its name in the ledger.
        parent: the stage of which it is a part; empty for what was delivered.
        title: its name for readers.
        hint: what it means, in a few words.
        depth: how many stages are above it.
    """

    name: str
    parent: str
    title: str
    hint: str
    depth: int


@dataclass(frozen=True)
class StageLine:
    """A stage with what one delivery has there."""

    stage: Stage
    entry: LedgerEntry


# Branches stand in the order in which they are drawn: what goes on first.
_RECORDS: Final = Stage("records", "", "Delivered", "records in the file", 0)
_LANDED: Final = Stage("landed", "records", "Landed", "readable records", 1)
_REJECTED: Final = Stage("rejected", "records", "Rejected", "not readable as a record", 1)
_DUPLICATES: Final = Stage(
    "exact_duplicate", "landed", "Exact duplicates", "repeat another record", 2
)
STAGES: Final[Mapping[str, tuple[Stage, ...]]] = {
    "Customer.csv": (
        _RECORDS,
        _LANDED,
        Stage("cleaned", "landed", "Cleaned", "valid customers", 2),
        Stage("quarantined_staging", "landed", "Quarantined", "not valid, see the reasons", 2),
        _DUPLICATES,
        _REJECTED,
    ),
    "accounts.csv": (
        _RECORDS,
        _LANDED,
        Stage("cleaned", "landed", "Cleaned", "valid accounts", 2),
        Stage("joined", "cleaned", "Joined", "have a valid customer", 3),
        Stage("published", "joined", "Published", "savings, with interest", 4),
        Stage("not_savings", "joined", "Not savings", "bear no interest here", 4),
        Stage("quarantined_join", "cleaned", "No valid customer", "quarantined at the join", 3),
        Stage("quarantined_staging", "landed", "Not valid", "quarantined in staging", 2),
        _DUPLICATES,
        _REJECTED,
    ),
}
SET_ASIDE: Final = ("rejected", "quarantined_staging", "quarantined_join")


def stage_lines(ledger: DeliveryLedger, source_file: str) -> Iterator[StageLine]:
    """Give the stages of a file, each with its line of the ledger."""
    for stage in STAGES[source_file]:
        yield StageLine(stage, ledger.entries[source_file, stage.name])


def set_aside(ledger: DeliveryLedger) -> int:
    """Count the records of both files that are rejected or quarantined."""
    return sum(
        entry.row_count for (_, stage), entry in ledger.entries.items() if stage in SET_ASIDE
    )
