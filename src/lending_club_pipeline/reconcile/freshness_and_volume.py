"""Freshness and volume: deliveries that are missing, or unusually large or small."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from lending_club_pipeline.reconcile.volumes import expected_volume
from lending_club_pipeline.warehouse.protocol import Warehouse


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
                    -(-usual.least.numerator // usual.least.denominator),
                    usual.most.numerator // usual.most.denominator,
                )
            )
        known.append(file.row_count)
    return unusual
