"""The stages of the ledger, each the sum of its parts: the seed `ledger_stages`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from lending_club_pipeline.contract.seeds import read_seed


@dataclass(frozen=True)
class Stage:
    """A stage of the ledger.

    Attributes:
        name: its name in the ledger.
        parent: the stage of which it is a part; empty for the records of a file.
        is_excluded: whether its records are rejected or quarantined.
        title: its name for readers.
        hint: what it means, in a few words.
        depth: how many stages are above it.
    """

    name: str
    parent: str
    is_excluded: bool
    title: str
    hint: str
    depth: int


@cache
def stages() -> Mapping[str, tuple[Stage, ...]]:
    """Return the stages by source file, in the order in which rows pass them."""
    found: dict[str, dict[str, Stage]] = {}
    for row in read_seed("ledger_stages"):
        of_file = found.setdefault(row["source_file"], {})
        parent = row["part_of"]
        of_file[row["stage"]] = Stage(
            row["stage"],
            parent,
            row["is_excluded"] == "true",
            row["title"],
            row["hint"],
            of_file[parent].depth + 1 if parent else 0,
        )
    return {source_file: tuple(of_file.values()) for source_file, of_file in found.items()}


def main_branch_first(source_file: str) -> Sequence[Stage]:
    """Return the stages of a file as a tree is drawn: a stage, then its parts, those used first."""
    return tuple(_with_parts("", stages()[source_file]))


def _with_parts(parent: str, of_file: Sequence[Stage]) -> Iterator[Stage]:
    for stage in reversed(of_file):
        if stage.parent == parent:
            yield stage
            yield from _with_parts(stage.name, of_file)


def equation(source_file: str, whole: str) -> str:
    """Write the equation of a stage and its parts, as in `landed = cleaned + exact_duplicate`."""
    parts = sorted(it.name for it in stages()[source_file] if it.parent == whole)
    return f"{whole} = {' + '.join(parts)}"
