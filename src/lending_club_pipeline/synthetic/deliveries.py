"""Make synthetic deliveries: realistic, of any size, with a known amount of each kind of dirt."""

import datetime as dt
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import duckdb

from lending_club_pipeline.config import clock
from lending_club_pipeline.config.clock import UTC_NAME, Today, day_of, now
from lending_club_pipeline.contract.source_files import ACCOUNTS, CONTROL, CUSTOMERS, Compression
from lending_club_pipeline.files.atomic import replacing
from lending_club_pipeline.files.duckdb_engines import bounded_engine
from lending_club_pipeline.ingest import landed_records
from lending_club_pipeline.ingest.deliveries.balance_sums import sum_balances
from lending_club_pipeline.ingest.deliveries.control_totals import FileTotals, csv_of
from lending_club_pipeline.ingest.deliveries.discovery import find_delivery
from lending_club_pipeline.ingest.landing import SplitterLimits, land
from lending_club_pipeline.synthetic import arguments
from lending_club_pipeline.synthetic.days import DayWriter, Placements
from lending_club_pipeline.synthetic.dirt import kinds_of
from lending_club_pipeline.synthetic.lines import (
    WritingLimits,
    default_threads,
)
from lending_club_pipeline.synthetic.placements import impossible_account_kinds, place_dirt
from lending_club_pipeline.synthetic.populations import EPOCH, Population

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


@dataclass(frozen=True)
class GeneratedDelivery:
    """A synthetic delivery.

    Attributes:
        as_of_date: its business date; None for an undated one.
        folder: where its files are.
        customers: records in Customer.csv, dirty ones included.
        accounts: records in accounts.csv, dirty ones included.
        dirt: dirty records by source file and kind, for every kind that occurs.
    """

    as_of_date: dt.date | None
    folder: Path
    customers: int
    accounts: int
    dirt: Mapping[tuple[str, str], int]

    @property
    def reasons(self) -> Mapping[tuple[str, str], int]:
        """Records by source file and reason of quarantine or rejection.

        A record counts for each of its reasons, as in the ledger of the pipeline.
        """
        counts: dict[tuple[str, str], int] = {}
        for (source_file, kind), records in self.dirt.items():
            for reason in kinds_of(source_file)[kind].reasons:
                key = (source_file, reason)
                counts[key] = counts.get(key, 0) + records
        return dict(sorted(counts.items()))


def generate_deliveries(
    *,
    customers: int,
    accounts: int,
    to: Path,
    on_progress: Callable[[str], None],
    dirty: float = 0.0,
    days: int = 1,
    change: float = 0.02,
    unusual: float = 0.01,
    seed: int = 0,
    first_day: dt.date | None = None,
    compression: Compression = "none",
    control: bool = False,
    timezone: str = UTC_NAME,
    threads: int | None = None,
    memory_bytes: int = 2**30,
    overwrite: bool = False,
) -> list[GeneratedDelivery]:
    """Write one full extract per day; equal arguments give equal bytes.

    A day's content depends on its date, not on the first day of its series.

    Args:
        customers: records in each Customer.csv.
        accounts: records in each accounts.csv.
        to: folder of the deliveries; it is made if it is missing.
        on_progress: called with a short text about the current step.
        dirty: share of dirty records, from 0 to 1, spread evenly over all kinds of dirt. Each
            kind occurs at least once if that leaves half of a file clean; some record is always
            clean.
        days: how many deliveries, on days that follow one another.
        change: share of the accounts whose balance changes from day to day. A twentieth as many
            accounts are closed and replaced by new ones, and of the customers a tenth as many
            change their loan flag.
        unusual: share of the clean records that are written in an unusual but accepted way, such
            as `$1,234.50`. Use 0 for readers that know only plain values.
        seed: another seed gives other content.
        first_day: date of the first delivery, each in a folder of its date. None: one undated
            delivery in `to` itself.
        compression: `gz` and `zst` write compressed files.
        control: also write the control totals of each delivery; an undated one is of today.
        timezone: IANA name of the business time zone, which decides today's date.
        threads: number of threads; all cores if None.
        memory_bytes: bound for the engine's memory.
        overwrite: replace existing deliveries.

    Raises:
        ConfigurationError: an argument is not allowed, or a delivery exists already.
        OutputError: a file cannot be written.
        RefusedDeliveryError: control totals are asked for of files that no run would accept.
    """
    arguments.refuse_sizes(customers, accounts)
    arguments.refuse_shares(dirty=dirty, change=change, unusual=unusual)
    arguments.refuse_days(days, first_day)
    arguments.refuse_resources(threads, memory_bytes)
    folders = _folders(to, first_day, days)
    arguments.refuse_occupied(to, list(folders.values()), overwrite=overwrite)
    generated = []
    limits = WritingLimits(memory_bytes, threads or default_threads())
    with bounded_engine(memory_bytes, threads=1) as connection:
        writer = DayWriter(connection, compression, limits, on_progress)
        for date, folder in folders.items():
            day = 0 if date is None else (date - EPOCH).days
            population = Population(customers, accounts, seed, day, change, unusual)
            placements = _placements(population, dirty)
            writer.write(population, placements, folder)
            if control:
                on_progress("Adding up the control totals")
                write_control(folder, date, day_of(now(), timezone), memory_bytes, threads)
            dirt = _dirt(placements)
            generated.append(GeneratedDelivery(date, folder, customers, accounts, dirt))
    return generated


def _folders(to: Path, first_day: dt.date | None, days: int) -> dict[dt.date | None, Path]:
    if first_day is None:
        return {None: to}
    dates = [first_day + dt.timedelta(days=day) for day in range(days)]
    return {date: to / date.isoformat() for date in dates}


def _placements(population: Population, dirty: float) -> Placements:
    stream = (population.seed, population.day, "dirt")
    customers = place_dirt(CUSTOMERS.name, population.customers, dirty, (*stream, CUSTOMERS.table))
    accounts = place_dirt(
        ACCOUNTS.name,
        population.accounts,
        dirty,
        (*stream, ACCOUNTS.table),
        without=impossible_account_kinds(customers),
    )
    return {CUSTOMERS: customers, ACCOUNTS: accounts}


def _dirt(placements: Placements) -> dict[tuple[str, str], int]:
    return {
        (source.name, kind): records
        for source, placement in placements.items()
        for kind, records in placement.counts.items()
        if records
    }
