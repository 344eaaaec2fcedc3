"""The numbers of a processed delivery: what the closing table and the report are made of."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from lending_club_pipeline.warehouse.protocol import Warehouse


@dataclass(frozen=True)
class LedgerEntry:
    """Rows at one stage, with the sum of their accepted balances (accounts only)."""

    source_file: str
    stage: str
    row_count: int
    balance: Decimal | None
    balance_unknown: int | None


@dataclass(frozen=True)
class DeliveryLedger:
    """The ledger of one delivery, with the reasons for which records are not used.

    Attributes:
        as_of_date: its business date.
        is_closed: every equation holds, in rows and in cents.
        entries: by source file and stage.
        reasons: records by source file and reason; a record counts for each of its reasons.
    """

    as_of_date: dt.date
    is_closed: bool
    entries: Mapping[tuple[str, str], LedgerEntry]
    reasons: Mapping[tuple[str, str], int]

    def rows(self, source_file: str, stage: str) -> int:
        """Return the rows of a file at a stage."""
        return self.entries[source_file, stage].row_count


def read_ledger(warehouse: Warehouse, as_of_date: dt.date) -> DeliveryLedger | None:
    """Read the ledger of a delivery, or None if it was never processed."""
    lines = warehouse.fetch(
        "select source_file, stage, row_count, balance, balance_unknown, is_closed "
        f"from delivery_ledger where as_of_date = date '{as_of_date.isoformat()}'"
    )
    if not lines:
        return None
    entries = {
        (line["source_file"], line["stage"]): LedgerEntry(
            line["source_file"],
            line["stage"],
            line["row_count"],
            line["balance"],
            line["balance_unknown"],
        )
        for line in lines
    }
    return DeliveryLedger(
        as_of_date,
        all(line["is_closed"] for line in lines),
        entries,
        _reasons(warehouse, as_of_date),
    )


def _reasons(warehouse: Warehouse, as_of_date: dt.date) -> dict[tuple[str, str], int]:
    counts: dict[tuple[str, str], int] = {}
    for row in warehouse.fetch(
        "select source_file, reasons, count(*) as records from quarantined_records "
        f"where as_of_date = date '{as_of_date.isoformat()}' "
        "group by source_file, reasons order by source_file, reasons"
    ):
        for reason in row["reasons"].split(";"):
            key = (row["source_file"], reason)
            counts[key] = counts.get(key, 0) + row["records"]
    return dict(sorted(counts.items()))


def closed_dates(warehouse: Warehouse) -> set[dt.date]:
    """Return the business dates whose ledger closes."""
    rows = warehouse.fetch("select distinct as_of_date from delivery_ledger where is_closed")
    return {row["as_of_date"] for row in rows}


def relations_of(warehouse: Warehouse) -> set[str]:
    """Return the names of the tables and views that were made already."""
    rows = warehouse.fetch(
        "select table_name from information_schema.tables where table_schema = current_schema()"
    )
    return {row["table_name"] for row in rows}


def newest_publishable_date(warehouse: Warehouse, before: dt.date | None = None) -> dt.date | None:
    """Return the as-of date that is published: the newest whose ledger closes and that is not held.

    Args:
        warehouse: an open warehouse.
        before: only dates before this one count, if given.
    """
    earlier = "" if before is None else f" where as_of_date < date '{before.isoformat()}'"
    rows = warehouse.fetch(
        f"select max(as_of_date) as as_of_date from publishable_deliveries{earlier}"
    )
    newest: dt.date | None = rows[0]["as_of_date"]
    return newest
