"""The control file of a synthetic delivery."""

import datetime as dt
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

import duckdb

from lending_club_pipeline.config import clock
from lending_club_pipeline.config.clock import Today
from lending_club_pipeline.contract.source_files import ACCOUNTS, CONTROL
from lending_club_pipeline.files.atomic import replacing
from lending_club_pipeline.ingest import landed_records
from lending_club_pipeline.ingest.deliveries.balance_sums import sum_balances
from lending_club_pipeline.ingest.deliveries.control_totals import FileTotals, csv_of
from lending_club_pipeline.ingest.deliveries.discovery import find_delivery
from lending_club_pipeline.ingest.landing import SplitterLimits, land

_NAME: Final = CONTROL.name


def write_control(
    folder: Path, as_of_date: dt.date | None, today: Today, memory_bytes: int, threads: int | None
) -> None:
    """Split the files like a run and write their totals beside them.

    Args:
        folder: folder of the two files.
        as_of_date: business date; None means today.
        today: the current business date.
        memory_bytes: bound for the engine's memory.
        threads: threads that work at it; all cores if None.

    Raises:
        RefusedDeliveryError: no run would accept the files.
    """
    date = as_of_date or today.date
    (folder / _NAME).unlink(missing_ok=True)
    inputs = folder if as_of_date is None else folder.parent
    # A series may reach into the future; only processing refuses such days.
    delivery = find_delivery(inputs, date, replace(today, date=max(date, today.date)))
    with tempfile.TemporaryDirectory(prefix=".control-", dir=folder) as work:
        landed = land(
            delivery,
            Path(work),
            SplitterLimits(memory_bytes, threads),
            clock.now().replace(tzinfo=None),
            lambda _: None,
        )
        with duckdb.connect() as connection:
            balances = sum_balances(connection, landed_records.relation_of(landed.folder, ACCOUNTS))
    totals = [
        FileTotals(
            file.source_file,
            file.landed_records + file.rejected_records,
            balances.amount if file.source_file == ACCOUNTS.name else None,
        )
        for file in landed.files
    ]
    with replacing(folder / _NAME, "--to") as target:
        target.write_text(csv_of(totals, date), encoding="utf-8", newline="\n")
