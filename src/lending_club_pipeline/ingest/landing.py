"""Land a delivery: split both files into Parquet, prove that nothing is missing, replace the day.

A landed day is one folder, `as_of_date=YYYY-MM-DD`. It holds the records of each file
(`*_encoded.parquet`), the records that did not split (`rejects.parquet`), the counts that prove
completeness (`files.parquet`), and the control totals, if there are any. The folder is replaced as
a whole, and only if both files were accepted and equal their control totals.
"""

import datetime as dt
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import duckdb

from lending_club_pipeline.contract.errors import Place, RefusedDeliveryError
from lending_club_pipeline.contract.source_files import ACCOUNTS
from lending_club_pipeline.files import duckdb_paths
from lending_club_pipeline.files.atomic import swap
from lending_club_pipeline.files.duckdb_engines import bounded_engine
from lending_club_pipeline.files.io_errors import explaining
from lending_club_pipeline.ingest import landed_records
from lending_club_pipeline.ingest.csv import parsing, quotes, rejects
from lending_club_pipeline.ingest.csv.byte_counts import (
    ByteCounts,
    changed_meanwhile,
    count_bytes,
    is_as_it_was_read,
)
from lending_club_pipeline.ingest.csv.headers import Header
from lending_club_pipeline.ingest.deliveries import control_totals, preflight
from lending_club_pipeline.ingest.deliveries.balance_sums import sum_balances
from lending_club_pipeline.ingest.deliveries.control_totals import ControlTotals
from lending_club_pipeline.ingest.deliveries.delivery_folders import DeliveredFile, Delivery
from lending_club_pipeline.ingest.landed_files import (
    LandedDelivery,
    LandedFile,
    landed_folder,
    read_landed_files,
    write_landed_files,
)


@dataclass(frozen=True)
class SplitterLimits:
    """Bounds of the engine that splits: memory in bytes, threads (None: all cores)."""

    memory_bytes: int
    threads: int | None = None


_Counted: TypeAlias = tuple[DeliveredFile, ByteCounts, Path]


def land(
    delivery: Delivery,
    landing: Path,
    limits: SplitterLimits,
    loaded_at: dt.datetime,
    on_progress: Callable[[str], None],
) -> LandedDelivery:
    """Land a delivery, or refuse it and keep the files that were landed before.

    Args:
        delivery: the pair of files, and its control file if there is one.
        landing: folder of all landed days.
        limits: bounds of the engine that splits.
        loaded_at: the load time to record.
        on_progress: called with a short text about the current step.

    Raises:
        RefusedDeliveryError: one of the files cannot be trusted, or they differ from their
            control totals.
        OutputError: the landing folder cannot be written, or its disk is full.
        WarehouseError: the engine that splits has too little memory.
    """
    with explaining(landing, "LANDING_PATH"):
        return _land(delivery, landing, limits, loaded_at, on_progress)


def _land(
    delivery: Delivery,
    landing: Path,
    limits: SplitterLimits,
    loaded_at: dt.datetime,
    on_progress: Callable[[str], None],
) -> LandedDelivery:
    target = landed_folder(landing, delivery.as_of_date)
    _recover(landing)
    work = landing / f".landing-{os.getpid()}"
    work.mkdir(parents=True, mode=0o700)
    try:
        counted = []
        for file in delivery.files:
            on_progress(f"Counting the lines of {file.path.name}")
            counted.append((file, *count_bytes(file, work / f"{file.source.table}.csv")))
        control = _control(delivery, work)
        before = read_landed_files(target)
        is_kept = _are_the_same(before, counted) and control_totals.read_kept(target) == control
        if is_kept and landed_records.are_encoded(target):
            return LandedDelivery(
                delivery.as_of_date,
                target,
                before,
                is_unchanged=True,
                control=control,
                maybe_cut_off=_maybe_cut_off(counted),
            )
        files = _split_all(counted, work, limits, loaded_at, control, on_progress)
        _refuse_if_changed_meanwhile(counted)
        for text in work.glob("*.csv"):
            text.unlink()
        _replace(work, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return LandedDelivery(
        delivery.as_of_date,
        target,
        files,
        is_unchanged=False,
        control=control,
        maybe_cut_off=_maybe_cut_off(counted),
    )


def _maybe_cut_off(counted: list[_Counted]) -> frozenset[str]:
    return frozenset(
        file.source.name for file, counts, _ in counted if not counts.is_last_line_ended
    )


def _control(delivery: Delivery, work: Path) -> ControlTotals | None:
    """Read the control totals before the files are split, which may take long."""
    if delivery.control is None:
        return None
    counts, plain = count_bytes(delivery.control, work / f"{delivery.control.source.table}.csv")
    return control_totals.read_control_totals(delivery.control, counts, plain, delivery.as_of_date)


def _split_all(
    counted: list[_Counted],
    work: Path,
    limits: SplitterLimits,
    loaded_at: dt.datetime,
    control: ControlTotals | None,
    on_progress: Callable[[str], None],
) -> tuple[LandedFile, ...]:
    headers = []
    for file, counts, plain in counted:
        headers.append(preflight.header_of(file, counts, plain))
    spill = work / "spill"
    with bounded_engine(limits.memory_bytes, limits.threads, spill) as connection:
        connection.execute(_CREATE_ALL_REJECTED)
        files = []
        for (file, counts, plain), header in zip(counted, headers, strict=True):
            on_progress(f"Splitting {file.path.name}")
            files.append(_land_file(connection, file, counts, plain, header, work, loaded_at))
        connection.execute(
            "copy (select * from all_rejected order by source_file, line_number) to "
            f"{duckdb_paths.literal(work / 'rejects.parquet')} (format parquet, compression zstd)"
        )
        if control is not None:
            on_progress("Comparing the control totals")
            place = Place(counted[0][0].path.with_name(control.delivered_name))
            records = {it.source_file: it.landed_records + it.rejected_records for it in files}
            balances = sum_balances(connection, landed_records.relation_of(work, ACCOUNTS))
            control_totals.compare_totals(control, records, balances, place)
            control_totals.keep(control, work)
        write_landed_files(connection, tuple(files), work / "files.parquet")
    shutil.rmtree(spill, ignore_errors=True)
    return tuple(files)


_CREATE_ALL_REJECTED: Final = """
    create table all_rejected
        (source_file varchar, line_number bigint, reason varchar, raw_record varchar)
"""


def _land_file(
    connection: duckdb.DuckDBPyConnection,
    file: DeliveredFile,
    counts: ByteCounts,
    plain: Path,
    header: Header,
    work: Path,
    loaded_at: dt.datetime,
) -> LandedFile:
    place = Place(file.path)
    target = work / landed_records.file_name(file.source)
    copy = work / f"{file.source.table}.sanitized.csv"
    columns = file.source.landed_columns
    preflight.refuse_mixed_line_ends(file, counts, plain)
    sanitized = quotes.Sanitized(plain, may_span_lines=False)
    if counts.has_quotes:
        is_uniform = preflight.is_uniform(counts)
        sanitized = quotes.sanitize(plain, copy, place, header.line_end, is_uniform=is_uniform)
    shown = sanitized.shown
    landed = parsing.split(connection, shown, place, header, file.source, target)
    rejected = parsing.collect_rejects(connection)
    inner = (0, 0)
    if sanitized.may_span_lines:
        inner = parsing.count_inner_lines(connection, shown, header, columns, target)
    physical = counts.lines_by(header.line_end)
    empty_lines = physical.empty_lines - header.empty_lines
    simple = header.lines + empty_lines + landed + rejected == physical.lines
    if rejected:
        one_line_each = simple and header.lines == 1 and empty_lines == 0 and inner == (0, 0)
        rejects.locate(
            connection,
            plain,
            header.line_end,
            one_line_each=one_line_each,
            is_sanitized=shown != plain,
        )
    connection.execute(
        "insert into all_rejected "
        f"select {duckdb_paths.literal(file.source.name)}, line_number, reason, raw_record "
        "from rejected"
    )
    row = connection.execute(
        "select coalesce(sum(lines), 0), coalesce(sum(empty_lines), 0) from rejected"
    ).fetchone()
    rejected_lines, rejected_empty_lines = (0, 0) if row is None else map(int, row)
    result = LandedFile(
        source_file=file.source.name,
        delivered_name=file.path.name,
        sha256=counts.sha256,
        stored_bytes=counts.stored_bytes,
        loaded_at=loaded_at,
        physical_lines=physical.lines,
        header_lines=header.lines,
        empty_lines=empty_lines - inner[1] - rejected_empty_lines,
        landed_records=landed,
        landed_lines=landed + inner[0],
        rejected_records=rejected,
        rejected_lines=rejected_lines,
        extra_columns=header.extra_columns,
    )
    _prove_complete(result, place)
    return result


def _prove_complete(file: LandedFile, place: Place) -> None:
    if not file.is_complete:
        raise RefusedDeliveryError(
            "lines_unaccounted_for",
            place,
            f"{file.physical_lines} physical lines, but header ({file.header_lines}), empty "
            f"({file.empty_lines}), landed ({file.landed_lines}) and rejected "
            f"({file.rejected_lines}) lines make {file.accounted_lines}",
            "The file was split wrongly, so nothing of it is used: look for unbalanced quotes",
        )


def _refuse_if_changed_meanwhile(counted: list[_Counted]) -> None:
    for file, counts, _ in counted:
        if not is_as_it_was_read(file, counts):
            raise changed_meanwhile(file)


def _are_the_same(before: tuple[LandedFile, ...], counted: list[_Counted]) -> bool:
    known = {file.source_file: (file.sha256, file.delivered_name) for file in before}
    found = {file.source.name: (counts.sha256, file.path.name) for file, counts, _ in counted}
    return known == found


def _replace(work: Path, target: Path) -> None:
    """Move `work` to `target`, and the old `target` to `work` for removal.

    If that takes two steps, `_recover` completes it after a crash in between.
    """
    for path in work.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    if target.exists() and swap(work, target):
        return
    old = target.with_name(f".replaced-{target.name}")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    work.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _recover(landing: Path) -> None:
    """Clean up after a run that was killed while it landed a delivery."""
    for old in landing.glob(".replaced-*"):
        target = landing / old.name.removeprefix(".replaced-")
        if target.exists():
            shutil.rmtree(old)
        else:
            old.rename(target)
    for work in landing.glob(".landing-*"):
        shutil.rmtree(work)
