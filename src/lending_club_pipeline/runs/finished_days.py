"""Which deliveries need no run: processed and not changed since, or past their retention."""

import datetime as dt
import json
from collections.abc import Sequence
from typing import Final

from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.errors import (
    RefusedDeliveryError,
    WarehouseError,
    WarehouseLockedError,
)
from lending_club_pipeline.contract.source_files import CONTROL
from lending_club_pipeline.dbt_runner.project import fingerprint, project_dir
from lending_club_pipeline.files.atomic import replacing
from lending_club_pipeline.ingest.csv.byte_counts import sha256_of
from lending_club_pipeline.ingest.deliveries.control_totals import ControlTotals, read_kept
from lending_club_pipeline.ingest.deliveries.discovery import (
    Delivery,
    date_to_process,
    find_delivery,
    today_utc,
)
from lending_club_pipeline.ingest.landed_files import (
    LandedFile,
    landed_folder,
    read_landed_files,
)
from lending_club_pipeline.reconcile.ledger import DeliveryLedger, read_ledger, relations_of
from lending_club_pipeline.reconcile.movements import held_dates
from lending_club_pipeline.runs.retention import expired_dates
from lending_club_pipeline.warehouse import Warehouse, choose_warehouse

# Beside the landed files, and gone with them as soon as others are landed.
_MARK: Final = "processed.json"


def date_of_delivery(settings: DataPlatformConfig) -> dt.date:
    """Return the business date of the delivery to process where none is named.

    Where there is no folder of deliveries, that is today: its run then says, and records, why.
    """
    today = today_utc()
    try:
        return date_to_process(settings.input_path, today)
    except RefusedDeliveryError:
        return today


def mark_finished(settings: DataPlatformConfig, dates: list[dt.date]) -> None:
    """Remember that the deliveries of some dates were processed to the end.

    Raises:
        OutputError: the landing folder cannot be written.
    """
    content = json.dumps({"transformation": _transformation()})
    for date in dates:
        folder = landed_folder(settings.landing, date)
        if folder.exists():
            with replacing(folder / _MARK, "LANDING_PATH") as work:
                work.write_text(content)


def finished(settings: DataPlatformConfig, as_of_date: dt.date) -> DeliveryLedger | None:
    """Return the ledger of a delivery that is processed, or None if it needs a run.

    It needs none if its files are those that were processed (by SHA-256), the dbt project with its
    rates is the one that processed them, and the database still has what it became. Whether the
    outputs are still there is another question: see `is_still_published`.
    """
    if not _is_marked(settings, as_of_date) or not is_landed(settings, as_of_date):
        return None
    warehouse = choose_warehouse(settings)
    try:
        with warehouse.session(read_only=True):
            return _closed_ledger(warehouse, settings, as_of_date)
    except WarehouseError:
        # A run then says what is wrong, or waits for the run that is going on.
        return None


def is_landed(settings: DataPlatformConfig, as_of_date: dt.date) -> bool:
    """Whether what was landed of a date are the files that lie there now."""
    try:
        delivery = find_delivery(settings.input_path, as_of_date, today_utc())
        delivered = _delivered_checksums(delivery)
    except (RefusedDeliveryError, OSError):
        # A run then says what is wrong with it.
        return False
    folder = landed_folder(settings.landing, as_of_date)
    return _checksums_of(read_landed_files(folder), read_kept(folder)) == delivered


def expired_days(settings: DataPlatformConfig, dates: Sequence[dt.date]) -> set[dt.date]:
    """Return the dates whose records were dropped: to land them again would undo that.

    Args:
        settings: the project's settings.
        dates: business dates.

    Raises:
        WarehouseLockedError: another process has the warehouse.
    """
    if settings.retention_days is None:
        return set()
    warehouse = choose_warehouse(settings)
    try:
        with warehouse.session(read_only=True):
            return expired_dates(warehouse, settings, dates)
    except WarehouseLockedError:
        raise
    except WarehouseError:
        # Nothing is there yet, or a run says what is wrong.
        return set()


def _is_marked(settings: DataPlatformConfig, as_of_date: dt.date) -> bool:
    mark = landed_folder(settings.landing, as_of_date) / _MARK
    if not mark.exists():
        return False
    marked: dict[str, str] = json.loads(mark.read_bytes())
    return marked.get("transformation") == _transformation()


def _transformation() -> str:
    return fingerprint(project_dir(), {})


def _closed_ledger(
    warehouse: Warehouse, settings: DataPlatformConfig, as_of_date: dt.date
) -> DeliveryLedger | None:
    if not {"delivery_ledger", "delivery_movements"} <= relations_of(warehouse):
        return None
    if held_dates(warehouse, [as_of_date]):
        # Somebody may have approved it meanwhile.
        return None
    ledger = read_ledger(warehouse, as_of_date)
    if ledger is None or not ledger.is_closed:
        return None
    rows = warehouse.fetch(
        "select source_file, sha256 from delivered_files where as_of_date = ?", [as_of_date]
    )
    loaded = {row["source_file"]: row["sha256"] for row in rows}
    landed = read_landed_files(landed_folder(settings.landing, as_of_date))
    return ledger if loaded == {file.source_file: file.sha256 for file in landed} else None


def _checksums_of(
    landed: tuple[LandedFile, ...], control: ControlTotals | None
) -> dict[str, tuple[str, str]]:
    known = {file.source_file: (file.delivered_name, file.sha256) for file in landed}
    if control is not None:
        known[CONTROL.name] = (control.delivered_name, control.sha256)
    return known


def _delivered_checksums(delivery: Delivery) -> dict[str, tuple[str, str]]:
    return {file.source.name: (file.path.name, sha256_of(file.path)) for file in delivery.all_files}
