"""How many days of a backfill go into one run."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

from lending_club_pipeline.config.settings import DataPlatformConfig

_DAY: Final = dt.timedelta(days=1)
# Measured with a limit of 2 GiB: deliveries whose text is a quarter of the engine's memory sort and
# join within it; thirty-one of a million accounts each, nearly all of it, did not.
_PARTS_OF_MEMORY: Final = 4
# How many times smaller extracts of numbers become when they are compressed.
_COMPRESSED: Final = 4


def chunks(settings: DataPlatformConfig, dates: Sequence[dt.date]) -> list[list[dt.date]]:
    """Group the dates of a backfill into runs.

    Neighbouring days share one, at most `backfill_days_per_run`, and on DuckDB no more than fit
    into the memory that the engine has.

    Args:
        settings: the project's settings.
        dates: dates that have a delivery, oldest first.
    """
    most = settings.backfill_days_per_run
    if settings.database_type != "duckdb":
        return neighbours(dates, most)
    sizes = {date: _bytes_of(settings.input_path, date) for date in dates}
    return neighbours(
        dates, most, sizes=sizes, most_bytes=settings.engine_memory_bytes // _PARTS_OF_MEMORY
    )


def neighbours(
    dates: Sequence[dt.date],
    most: int,
    apart: Collection[dt.date] = (),
    sizes: Mapping[dt.date, int] | None = None,
    most_bytes: int = 0,
) -> list[list[dt.date]]:
    """Group dates into runs of days without a gap.

    Args:
        dates: dates, oldest first.
        most: most dates in a group.
        apart: dates that stay alone.
        sizes: bytes of each date's delivery, or None if they do not matter.
        most_bytes: most bytes in a group of more than one date.
    """
    groups: list[list[dt.date]] = []
    for date in dates:
        last = groups[-1] if groups else []
        is_next = bool(last) and date - last[-1] == _DAY and len(last) < most
        is_next = is_next and date not in apart and last[-1] not in apart
        if sizes is not None:
            is_next = is_next and sum(sizes[it] for it in (*last, date)) <= most_bytes
        if is_next:
            last.append(date)
        else:
            groups.append([date])
    return groups


def _bytes_of(inputs: Path, date: dt.date) -> int:
    """Estimate the bytes of a delivery's text."""
    folder = inputs / date.isoformat()
    folder = folder if folder.is_dir() else inputs
    return sum(
        path.stat().st_size * (1 if path.suffix == ".csv" else _COMPRESSED)
        for path in folder.glob("*.csv*")
    )
