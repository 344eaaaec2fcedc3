"""What a run was asked for: by a person for this very date, or by something that asks for all."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# Dagster's documented tags of runs that nobody asked for one by one.
_AUTOMATIC: Final = ("dagster/schedule_name", "dagster/sensor_name", "dagster/backfill")
# On runs of the command line, which has made its plan already.
PLANNED_TAG: Final = "lending_club/planned"
UNDATED_TAG: Final = "lending_club/undated"
LOAD_AGAIN_TAG: Final = "lending_club/load_again"


@dataclass(frozen=True)
class Intent:
    """What a run was asked for.

    Attributes:
        force: process its dates whether they changed or not: a person asked for them, or the
            command line has left out those that need nothing.
        takes_undated: undated files are the delivery of its date, because `--as-of` says so.
        loads_again: what the warehouse has is loaded again, because `--force` says so.
    """

    force: bool
    takes_undated: bool
    loads_again: bool


def intent_of(tags: Mapping[str, str]) -> Intent:
    """Read what a run was asked for from its tags."""
    is_planned = PLANNED_TAG in tags
    return Intent(
        force=is_planned or not any(tag in tags for tag in _AUTOMATIC),
        takes_undated=UNDATED_TAG in tags,
        loads_again=LOAD_AGAIN_TAG in tags,
    )
