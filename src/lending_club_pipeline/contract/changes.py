"""Kinds of change of an account between two deliveries: the seed `change_kinds`."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from lending_club_pipeline.contract.seeds import read_seed


@dataclass(frozen=True)
class ChangeKind:
    """A kind of change of an account.

    Attributes:
        title: its name for readers.
        meaning: its meaning, as the end of a sentence about an account.
    """

    title: str
    meaning: str


@cache
def change_kinds() -> Mapping[str, ChangeKind]:
    """Return the kinds by their code, in the order in which they are shown."""
    return {
        row["code"]: ChangeKind(row["title"], row["meaning"]) for row in read_seed("change_kinds")
    }
