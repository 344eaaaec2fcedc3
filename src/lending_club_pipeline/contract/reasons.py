"""Reasons for which records are not used, with their texts: the seed `quarantine_reasons`.

To add a reason, add a row to `dbt/seeds/quarantine_reasons.csv`; see docs/extending.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from lending_club_pipeline.contract.seeds import read_seed


@dataclass(frozen=True)
class Reason:
    """A reason for which a record is rejected or quarantined.

    Attributes:
        stage: where a record with it stops: `rejected`, `staging` or `join`; empty if not known.
        title: the reason in a few words.
        meaning: the problem, for readers who do not know the rules.
        remedy: what the sender of the delivery should do.
    """

    stage: str
    title: str
    meaning: str
    remedy: str


@cache
def reasons() -> Mapping[str, Reason]:
    """Return all reasons by their code."""
    return {
        row["code"]: Reason(row["stage"], row["title"], row["meaning"], row["remedy"])
        for row in read_seed("quarantine_reasons")
    }


def explain(reason: str) -> Reason:
    """Return the texts of a reason; an unknown reason gets a text from its name."""
    return reasons().get(reason) or Reason(
        "",
        reason.replace("_", " ").capitalize(),
        "This version of the pipeline has no explanation for this reason.",
        "Ask those who run the pipeline.",
    )
