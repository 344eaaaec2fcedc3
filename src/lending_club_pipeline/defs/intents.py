"""The intent of a run: a person named this date, or an automation requested all dates."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# Dagster's documented tags of runs that a person did not start one by one.
_AUTOMATIC: Final = ("dagster/schedule_name", "dagster/sensor_name", "dagster/backfill")
# On runs of the command line, which itself continues after single deliveries stop a run.
PLANNED_TAG: Final = "lending_club/planned"
FORCE_TAG: Final = "lending_club/force"
NAMED_TAG: Final = "lending_club/named"


@dataclass(frozen=True)
class Intent:
    """The request behind a run.

    Attributes:
        force: process its dates even if they are unchanged: a person named them, or `--force`.
        names_a_date: its date was named by `--as-of`: undated files are its delivery, and it is
            processed although its records were dropped.
        loads_again: load records again that the warehouse has, because of `--force`.
    """

    force: bool
    names_a_date: bool
    loads_again: bool


def intent_of(tags: Mapping[str, str]) -> Intent:
    """Read the intent of a run from its tags."""
    is_by_hand = not any(tag in tags for tag in (PLANNED_TAG, *_AUTOMATIC))
    is_forced = FORCE_TAG in tags
    return Intent(
        force=is_forced or is_by_hand, names_a_date=NAMED_TAG in tags, loads_again=is_forced
    )
