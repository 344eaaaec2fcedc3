"""Builds that were interrupted half-way: the next one, of whatever dates, completes them.

A model holds the rows of all dates, and dbt replaces those of a run model by model. A run that is
killed in between leaves a date with new rows in one table and old ones in the next. Its own next
run would mend that, but a run of another date may come first.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from lending_club_pipeline.contract.errors import TransformationError
from lending_club_pipeline.files.io_errors import explaining

_PREFIX: Final = ".building-"


@contextmanager
def completing(landing: Path, dates: Sequence[dt.date]) -> Iterator[list[dt.date]]:
    """Give the dates to build: those asked for, and those whose build was interrupted.

    A build that fails has come to an end, too: what it stumbled over is no other date's affair.

    Args:
        landing: folder of all landed days; a mark lies there for each date that is being built.
        dates: business dates that are asked for.

    Raises:
        OutputError: a mark cannot be written or removed.
    """
    every = sorted({*dates, *_interrupted(landing)})
    marks = [landing / f"{_PREFIX}{date.isoformat()}" for date in every]
    with explaining(landing, "LANDING_PATH"):
        # Models alone may be built where nothing was ever landed.
        landing.mkdir(parents=True, exist_ok=True)
        for mark in marks:
            mark.touch(mode=0o600)
    try:
        yield every
    except TransformationError:
        _remove(landing, marks)
        raise
    _remove(landing, marks)


def _interrupted(landing: Path) -> Iterator[dt.date]:
    for mark in landing.glob(f"{_PREFIX}*"):
        date = mark.name.removeprefix(_PREFIX)
        if (landing / f"as_of_date={date}").exists():
            yield dt.date.fromisoformat(date)


def _remove(landing: Path, marks: Sequence[Path]) -> None:
    with explaining(landing, "LANDING_PATH"):
        for mark in marks:
            mark.unlink(missing_ok=True)
