"""The ledger of a processed delivery: the numbers of the closing table and the report."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from lending_club_pipeline.contract.stages import stages
from lending_club_pipeline.warehouse.day_tables import dates_listed
from lending_club_pipeline.warehouse.protocol import Warehouse

# Lines of the ledger, and records by their reasons.
_LINES: Final = """
    select
        as_of_date, source_file, stage, row_count, balance, balance_unknown, is_closed,
        null as reasons
    from delivery_ledger
    where as_of_date in ({dates})
    union all
    select as_of_date, source_file, null, count(*), null, null, null, reasons
    from quarantined_records
    where as_of_date in ({dates})
    group by as_of_date, source_file, reasons
"""


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

    def excluded(self, source_file: str) -> int:
        """Return the records of a file that are rejected or quarantined."""
        of_file = stages()[source_file]
        return sum(self.rows(source_file, it.name) for it in of_file if it.is_excluded)

    @property
    def all_excluded(self) -> int:
        """The records of both files that are rejected or quarantined."""
        return sum(self.excluded(source_file) for source_file in stages())


def read_ledger(warehouse: Warehouse, as_of_date: dt.date) -> DeliveryLedger | None:
    """Read the ledger of a delivery, or None if it was never processed."""
    return read_ledgers(warehouse, [as_of_date]).get(as_of_date)


def read_ledgers(warehouse: Warehouse, dates: Sequence[dt.date]) -> dict[dt.date, DeliveryLedger]:
    """Read the ledgers of deliveries by one query; dates that were never processed are omitted."""
    if not dates:
        return {}
    lines: dict[dt.date, list[dict[str, Any]]] = {}
    for line in warehouse.fetch(_LINES.format(dates=dates_listed(dates))):
        lines.setdefault(line.pop("as_of_date"), []).append(line)
    ledgers = (_ledger(date, lines[date]) for date in sorted(lines))
    return {ledger.as_of_date: ledger for ledger in ledgers if ledger.entries}


def _ledger(date: dt.date, lines: Sequence[Mapping[str, Any]]) -> DeliveryLedger:
    entries: dict[tuple[str, str], LedgerEntry] = {}
    reasons: dict[tuple[str, str], int] = {}
    is_closed = True
    for line in lines:
        file, rows = line["source_file"], line["row_count"]
        if line["stage"] is None:
            for reason in line["reasons"].split(";"):
                reasons[file, reason] = reasons.get((file, reason), 0) + rows
        else:
            sums = line["balance"], line["balance_unknown"]
            entries[file, line["stage"]] = LedgerEntry(file, line["stage"], rows, *sums)
            is_closed = is_closed and line["is_closed"]
    return DeliveryLedger(date, is_closed, entries, dict(sorted(reasons.items())))


def closed_dates(warehouse: Warehouse) -> set[dt.date]:
    """Return the business dates whose ledger closes."""
    rows = warehouse.fetch("select distinct as_of_date from delivery_ledger where is_closed")
    return {row["as_of_date"] for row in rows}


def newest_publishable_date(warehouse: Warehouse, before: dt.date | None = None) -> dt.date | None:
    """Return the date to publish: the newest whose ledger closes and that is not held.

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
