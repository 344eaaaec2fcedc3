"""Retention: choose the days whose records are too old, and drop their records.

Ledger, tiers, movements, changes and histories are kept for good. Dropped are the landed files, the
loaded records, and the rows of `account_summary_daily` and `quarantined_records`.
"""

import datetime as dt
import shutil
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.errors import ConfigurationError, NotLandedError
from lending_club_pipeline.files.io_errors import explaining
from lending_club_pipeline.ingest.landed_files import landed_folder
from lending_club_pipeline.reconcile.ledger import newest_publishable_date
from lending_club_pipeline.runs.day_journal import DayJournal
from lending_club_pipeline.warehouse import Warehouse
from lending_club_pipeline.warehouse.protocol import DAILY_RECORDS

_FOLDER: Final = "as_of_date="
_DROPPED: Final = ".expired-"


@dataclass(frozen=True)
class ExpiredDay:
    """A day that is dropped, or would be.

    Attributes:
        as_of_date: its business date.
        rows: rows of raw records, daily summary and quarantine.
        landed_bytes: size of its landed files on this machine.
    """

    as_of_date: dt.date
    rows: int
    landed_bytes: int


def choose_expired(
    dates: Collection[dt.date], newest: dt.date, days: int, kept: Collection[dt.date]
) -> list[dt.date]:
    """Choose the dates to drop, oldest first.

    Args:
        dates: dates with any records.
        newest: newest processed date; age is counted from it, so that a pause drops nothing.
        days: days that are kept before it.
        kept: dates that stay however old they are.
    """
    first_kept = newest - dt.timedelta(days=days)
    return sorted(date for date in set(dates) if date < first_kept and date not in kept)


def expire(
    warehouse: Warehouse, settings: DataPlatformConfig, *, dry_run: bool
) -> list[ExpiredDay]:
    """Drop the days that are older than `RETENTION_DAYS`; oldest first.

    Landed files are removed last, so that after a kill the same days are found again.

    Args:
        warehouse: an open warehouse.
        settings: the project's settings.
        dry_run: only say what would be dropped.

    Raises:
        ConfigurationError: `RETENTION_DAYS` is not set.
        WarehouseError: a statement failed.
        OutputError: a landed folder cannot be removed.
    """
    days = settings.days.retention_days
    if days is None:
        raise ConfigurationError(
            "RETENTION_DAYS is not set, so everything is kept. Set it, or name --days."
        )
    if not dry_run:
        _clear_up(settings.landing)
    rows = _rows_by_date(warehouse)
    newest = _newest_processed(warehouse)
    if newest is None:
        return []
    dates = choose_expired(
        {*rows, *_landed_dates(settings.landing)}, newest, days, _needed(warehouse)
    )
    found = [
        ExpiredDay(date, rows.get(date, 0), _size(landed_folder(settings.landing, date)))
        for date in dates
    ]
    if found and not dry_run:
        DayJournal.begin(warehouse, run_id="").expire(dates)
        warehouse.drop_days(dates)
        for date in dates:
            _drop_folder(landed_folder(settings.landing, date))
    return found


def _newest_processed(warehouse: Warehouse) -> dt.date | None:
    if "delivery_ledger" not in warehouse.relations():
        return None
    newest: dt.date | None = warehouse.fetch(
        "select max(as_of_date) as as_of_date from delivery_ledger"
    )[0]["as_of_date"]
    return newest


def _needed(warehouse: Warehouse) -> set[dt.date]:
    """Return the days that views need: the published one, and the newest whose ledger closes."""
    needed = set()
    if "publishable_deliveries" in warehouse.relations():
        needed.add(newest_publishable_date(warehouse))
    closed = warehouse.fetch(
        "select max(as_of_date) as as_of_date from delivery_ledger where is_closed"
    )
    needed.add(closed[0]["as_of_date"])
    return {date for date in needed if date is not None}


def _rows_by_date(warehouse: Warehouse) -> dict[dt.date, int]:
    """Count the rows of each day in the warehouse; raw records as they were counted on landing."""
    known = warehouse.relations()
    queries = [
        f"select as_of_date, count(*) as row_count from {mart} group by as_of_date"
        for mart in sorted(DAILY_RECORDS & known)
    ]
    if "delivered_files" in known:
        queries.append(
            "select as_of_date, sum(landed_records + rejected_records) as row_count "
            "from delivered_files group by as_of_date"
        )
    counts: dict[dt.date, int] = {}
    for query in queries:
        # If the landing folder was lost, there is nothing to drop.
        with suppress(NotLandedError):
            for row in warehouse.fetch(query):
                date = row["as_of_date"]
                counts[date] = counts.get(date, 0) + int(row["row_count"])
    return counts


def _landed_dates(landing: Path) -> Iterator[dt.date]:
    for folder in landing.glob(f"{_FOLDER}*"):
        yield dt.date.fromisoformat(folder.name.removeprefix(_FOLDER))


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*"))


def _drop_folder(folder: Path) -> None:
    """Rename the folder first, so that a killed run leaves it complete or removed."""
    if not folder.exists():
        return
    with explaining(folder, "LANDING_PATH"):
        away = folder.with_name(f"{_DROPPED}{folder.name}")
        folder.rename(away)
        shutil.rmtree(away)


def _clear_up(landing: Path) -> None:
    """Remove folders that a killed run had renamed."""
    with explaining(landing, "LANDING_PATH"):
        for left in landing.glob(f"{_DROPPED}*"):
            shutil.rmtree(left)
