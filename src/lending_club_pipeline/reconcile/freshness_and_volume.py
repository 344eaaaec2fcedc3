"""Whether deliveries come when they should, and with as many records as usual."""

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


def read_processed_dates(warehouse: Warehouse) -> set[dt.date]:
    """Return the business dates that have a ledger."""
    rows = warehouse.fetch("select distinct as_of_date from delivery_ledger")
    return {row["as_of_date"] for row in rows}


def read_volume_anomalies(warehouse: Warehouse, dates: Sequence[dt.date]) -> list[VolumeAnomaly]:
    """Return the files of some deliveries whose number of records is unusual."""
    rows = warehouse.fetch(
        "select source_file, as_of_date, row_count from delivery_ledger "
        "where stage = 'records' order by source_file, as_of_date"
    )
    before: dict[str, list[int]] = {}
    unusual = []
    for row in rows:
        known = before.setdefault(row["source_file"], [])
        usual = expected_volume(known)
        if row["as_of_date"] in dates and usual is not None and not usual.has(row["row_count"]):
            unusual.append(
                VolumeAnomaly(
                    row["as_of_date"],
                    row["source_file"],
                    row["row_count"],
                    -(-usual.least.numerator // usual.least.denominator),
                    usual.most.numerator // usual.most.denominator,
                )
            )
        known.append(row["row_count"])
    return unusual
