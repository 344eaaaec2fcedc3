"""Positions of dirt in a file, computed instead of stored.

A file of N records with D dirty ones is cut into D stretches of nearly equal length. Each has one
dirty record at a drawn place, and the kinds take turns from stretch to stretch. Any record's kind,
and any kind's records, follow by arithmetic, in Python and in SQL.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from lending_club_pipeline.synthetic.dirt import (
    CONFLICTING_DUPLICATE,
    CUSTOMER_QUARANTINED,
    HAS_LOAN_UNRECOGNISED,
    RECORD_TOO_LONG,
    kinds_of,
)
from lending_club_pipeline.synthetic.pseudo_random import draw

# The record that another record of its kind contradicts; it is one stretch before that record.
CONTRADICTED: Final = "contradicted"
# A record of 2 MiB would make up most of a smaller file.
_LEAST_RECORDS_FOR_TOO_LONG: Final = 100_000


@dataclass(frozen=True)
class Placement:
    """The dirt of one file on one day.

    Attributes:
        records: records of the file.
        dirty: dirty ones among them, in as many stretches.
        turns: the kinds in the order in which stretches take them, again and again.
        has_too_long: the last stretch holds a record that is too long instead.
        stream: seed and names of the random stream of the places.
    """

    records: int
    dirty: int
    turns: tuple[str, ...]
    has_too_long: bool
    stream: tuple[object, ...]

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """Dirty records by kind; every kind that could occur is named."""
        rounds, rest = divmod(self.dirty - self.has_too_long, len(self.turns))
        counts = Counter({RECORD_TOO_LONG: int(self.has_too_long)})
        for at, turn in enumerate(self.turns):
            kind = CONFLICTING_DUPLICATE if turn == CONTRADICTED else turn
            counts[kind] += rounds + (at < rest)
        return dict(counts)

    def stretch(self, record: str) -> str:
        """Return SQL for the stretch of a record."""
        if not self.dirty:
            return "0"
        return f"({record} * {self.dirty} // {self.records})"

    def start(self, stretch: str) -> str:
        """Return SQL for the first record of a stretch."""
        return f"(({stretch} * {self.records} + {self.dirty - 1}) // {self.dirty})"

    def dirty_record(self, stretch: str) -> str:
        """Return SQL for the dirty record of a stretch.

        It is the first record only if the stretch has no other.
        """
        others = f"({self.start(f'({stretch} + 1)')} - {self.start(stretch)} - 1)"
        return (
            f"({self.start(stretch)} + least({others}, 1) "
            f"+ {draw(stretch, *self.stream, 'place')} % greatest({others}, 1))"
        )

    def clean_record(self, record: str, stretch: str) -> str:
        """Return SQL for a record, or for a clean one of its stretch if it is dirty itself.

        The first record of the file is always clean; if every record of a stretch is dirty, it is
        used instead.
        """
        if not self.dirty:
            return record
        start = self.start(stretch)
        return (
            f"case when {record} != {self.dirty_record(stretch)} then {record} "
            f"when {record} != {start} then {start} else 0 end"
        )

    def turn(self, stretch: str) -> str:
        """Return SQL for the kind of dirt of a stretch."""
        turns = ", ".join(f"'{turn}'" for turn in self.turns)
        kind = f"list_extract([{turns}], {stretch} % {len(self.turns)} + 1)"
        if not self.has_too_long:
            return kind
        return f"case when {stretch} = {self.dirty - 1} then '{RECORD_TOO_LONG}' else {kind} end"

    def some_record(self, kind: str, number: str) -> str:
        """Return SQL for one of the records of a kind, chosen by a drawn number."""
        stretch = f"({number} % {self.counts[kind]} * {len(self.turns)} + {self.turns.index(kind)})"
        return self.dirty_record(stretch)


def place_dirt(
    source_file: str,
    records: int,
    dirty: float,
    stream: tuple[object, ...],
    without: frozenset[str] = frozenset(),
) -> Placement:
    """Spread dirt evenly over the records of a file and over its kinds.

    Each kind occurs at least once if that leaves half of the records clean.

    Args:
        source_file: name of the file.
        records: how many records it has.
        dirty: share of dirty records, from 0 to 1. Some record is always clean.
        stream: random stream of the places, seed included.
        without: kinds that cannot occur.
    """
    kinds = [name for name in kinds_of(source_file) if name not in without | {RECORD_TOO_LONG}]
    # A contradiction takes two records: both stand at the end of the turns, so that only its
    # first half can be cut off.
    turns = tuple(name for name in kinds if name != CONFLICTING_DUPLICATE)
    turns += (CONTRADICTED, CONFLICTING_DUPLICATE)
    has_too_long = dirty > 0 and records >= _LEAST_RECORDS_FOR_TOO_LONG
    wanted = round(dirty * records)
    if dirty > 0 and len(turns) <= records // 2:
        wanted = max(wanted, len(turns) + has_too_long)
    wanted = min(wanted, max(records - 1, 0))
    if (wanted - has_too_long) % len(turns) == len(turns) - 1:
        wanted -= 1
    return Placement(records, wanted, turns, has_too_long, stream)


def impossible_account_kinds(customers: Placement) -> frozenset[str]:
    """Return the kinds of account that need a kind of customer which does not occur."""
    has_some = customers.dirty > 0 and customers.counts[HAS_LOAN_UNRECOGNISED] > 0
    return frozenset() if has_some else frozenset({CUSTOMER_QUARANTINED})
