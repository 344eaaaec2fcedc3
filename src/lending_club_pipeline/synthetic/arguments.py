"""Check the arguments of `generate` before anything is written."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lending_club_pipeline.contract.errors import ConfigurationError
from lending_club_pipeline.contract.source_files import CONTROL, SOURCE_FILES, SUFFIXES
from lending_club_pipeline.synthetic.populations import EPOCH

_MOST_RECORDS: Final = 1_000_000_000
_MOST_DAYS: Final = 3660
_LEAST_MEMORY_BYTES: Final = 128 * 2**20


def refuse_sizes(customers: int, accounts: int) -> None:
    """Refuse numbers of records that make no delivery.

    Raises:
        ConfigurationError: a number is negative or too large, or accounts would have no customer.
    """
    for name, records in (("customers", customers), ("accounts", accounts)):
        if not 0 <= records <= _MOST_RECORDS:
            raise ConfigurationError(
                f"{records} {name} cannot be generated. Ask for 0 to {_MOST_RECORDS:,}."
            )
    if accounts > 0 and customers == 0:
        raise ConfigurationError(
            f"{accounts} accounts need somebody who owns them, but there are 0 customers. "
            "Ask for 1 customer or more."
        )


def refuse_shares(**shares: float) -> None:
    """Refuse shares outside of 0 to 1.

    Raises:
        ConfigurationError: a share is below 0 or above 1.
    """
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise ConfigurationError(
                f"{name}={share} is not a share of the records. Write a number from 0 to 1, "
                "such as 0.01 for one in a hundred."
            )


def refuse_days(days: int, first_day: dt.date | None) -> None:
    """Refuse days without a date, and days that do not exist.

    Raises:
        ConfigurationError: there are too few or too many days, or the first one has no date.
    """
    if not 1 <= days <= _MOST_DAYS:
        raise ConfigurationError(f"days={days} is not allowed. Ask for 1 to {_MOST_DAYS:,} days.")
    if first_day is None and days > 1:
        raise ConfigurationError(
            f"{days} deliveries need dates, and there is no first day. Name the first day, or "
            "ask for 1 day."
        )
    if first_day is not None and first_day < EPOCH:
        raise ConfigurationError(
            f"The first day {first_day} is too early. Name {EPOCH} or a later day."
        )
    if first_day is not None and dt.date.max - first_day < dt.timedelta(days=days):
        raise ConfigurationError(
            f"{days} days from {first_day} on run over the end of the calendar. "
            "Name an earlier first day."
        )


def refuse_resources(threads: int | None, memory_bytes: int) -> None:
    """Refuse too few threads or too little memory.

    Raises:
        ConfigurationError: there is no thread, or not enough memory.
    """
    if threads is not None and threads < 1:
        raise ConfigurationError(f"threads={threads} is not allowed. Give it 1 thread or more.")
    if memory_bytes < _LEAST_MEMORY_BYTES:
        raise ConfigurationError(
            f"{memory_bytes} bytes of memory are not enough. Give it "
            f"{_LEAST_MEMORY_BYTES // 2**20}MiB or more."
        )


def refuse_occupied(to: Path, folders: Sequence[Path], *, overwrite: bool) -> None:
    """Refuse to mix a new delivery with an existing one.

    Raises:
        ConfigurationError: a folder is a file, or holds a delivery and `overwrite` is not set.
    """
    for folder in (to, *folders):
        if folder.exists() and not folder.is_dir():
            raise ConfigurationError(f"{folder} is a file, not a folder. Name another one.")
    for folder in folders:
        present = sorted(path.name for path in delivered_paths(folder) if path.exists())
        if present and not overwrite:
            raise ConfigurationError(
                f"{folder} already holds {', '.join(present)}. Name another folder, or replace "
                "what is there by --overwrite."
            )


def delivered_paths(folder: Path) -> list[Path]:
    """Return every path that a file of a delivery can have in a folder."""
    return [
        folder / f"{source.name}{suffix}"
        for source in (*SOURCE_FILES, CONTROL)
        for suffix in SUFFIXES.values()
    ]
