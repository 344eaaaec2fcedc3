"""Freshness and volume: deliveries that are missing, or unusually large or small."""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median
from typing import Final

from lending_club_pipeline.warehouse.protocol import Warehouse

_MOST_DELIVERIES: Final = 30
_FEWEST_DELIVERIES: Final = 5
# Factor that makes a median of distances comparable to a standard deviation.
_MAD_TO_DEVIATION: Final = Fraction("1.4826")
_DEVIATIONS: Final = 5
_LEAST_SHARE: Final = Fraction(1, 10)


@dataclass(frozen=True)
class ExpectedVolume:
    """How many records are usual, ends included."""

    least: Fraction
    most: Fraction

    def has(self, records: int) -> bool:
        """Whether a number of records is usual."""
        return self.least <= records <= self.most


def expected_volume(before: Sequence[int]) -> ExpectedVolume | None:
    """Return the usual range of records, from earlier deliveries; None if there are too few.

    The range is their median plus or minus the larger of a tenth of it and five times 1.4826 times
    the median distance from it. So a few unusual deliveries do not matter.

    Args:
        before: records of the earlier deliveries, the newest last; only the last 30 count.
    """
    known = [Fraction(records) for records in before[-_MOST_DELIVERIES:]]
    if len(known) < _FEWEST_DELIVERIES:
        return None
    middle = median(known)
    distance = median(abs(records - middle) for records in known)
    width = max(_DEVIATIONS * _MAD_TO_DEVIATION * distance, _LEAST_SHARE * middle)
    return ExpectedVolume(middle - width, middle + width)


@dataclass(frozen=True)
class VolumeAnomaly:
    """A file with far more or far fewer records than usual."""

    as_of_date: dt.date
    source_file: str
    records: int
    least: int
    most: int

    def __str__(self) -> str:
        return (
            f"{self.source_file} of {self.as_of_date} has {self.records:,} records; usual are "
            f"{self.least:,} to {self.most:,}"
        )


@dataclass(frozen=True)
class ProcessedFile:
    """A file of a delivery that has a ledger.

    Attributes:
        source_file: its name.
        as_of_date: business date of the delivery.
        row_count: its records.
        is_closed: whether the ledger of the delivery closes.
    """

    source_file: str
    as_of_date: dt.date
    row_count: int
    is_closed: bool


def read_processed_files(warehouse: Warehouse) -> list[ProcessedFile]:
    """Return the files of all deliveries that have a ledger, by name, oldest first."""
    rows = warehouse.fetch(
        "select source_file, as_of_date, row_count, is_closed from delivery_ledger "
        "where stage = 'records' order by source_file, as_of_date"
    )
    return [ProcessedFile(**row) for row in rows]


def volume_anomalies(
    files: Sequence[ProcessedFile], dates: Sequence[dt.date]
) -> list[VolumeAnomaly]:
    """Return the files of some deliveries whose number of records is unusual.

    Args:
        files: files of all deliveries, oldest first.
        dates: business dates of the deliveries.
    """
    before: dict[str, list[int]] = {}
    unusual = []
    for file in files:
        known = before.setdefault(file.source_file, [])
        usual = expected_volume(known)
        if file.as_of_date in dates and usual is not None and not usual.has(file.row_count):
            unusual.append(
                VolumeAnomaly(
                    file.as_of_date,
                    file.source_file,
                    file.row_count,
                    math.ceil(usual.least),
                    math.floor(usual.most),
                )
            )
        known.append(file.row_count)
    return unusual
