"""Events for Dagster about landed days, with metadata by date."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from lending_club_pipeline.contract.source_files import SourceFile
from lending_club_pipeline.defs.ingest.specs import (
    CUT_OFF_CHECK,
    CUT_OFF_DESCRIPTION,
    LINES_CHECK,
    LINES_CHECK_DESCRIPTION,
)
from lending_club_pipeline.ingest import landed_records
from lending_club_pipeline.ingest.landed_files import LandedDelivery, LandedFile


@dataclass(frozen=True)
class LandedDay:
    """A landed day and the seconds that it took."""

    landed: LandedDelivery
    seconds: float

    def files_of(self, source: SourceFile) -> list[LandedFile]:
        """Return the one file of a kind."""
        return [file for file in self.landed.files if file.source_file == source.name]


def rejected_of(day: LandedDay) -> tuple[int, dict[str, Any]]:
    """Return the rejected records of a day, in total and by file."""
    by_file = {file.source_file: file.rejected_records for file in day.landed.files}
    return sum(by_file.values()), {"by_file": dg.MetadataValue.json(by_file)}


def delivered_of(day: LandedDay) -> tuple[int, dict[str, Any]]:
    """Return the files of a day, and whether they were landed before."""
    control = day.landed.control
    totals = {}
    if control is not None:
        totals = {"control_file": control.delivered_name, "control_sha256": control.sha256}
    return len(day.landed.files), {"is_unchanged": day.landed.is_unchanged, **totals}


def summed(
    context: dg.AssetExecutionContext,
    key: str,
    landed: Sequence[LandedDay],
    describe: Callable[[LandedDay], tuple[int, dict[str, Any]]],
) -> dg.MaterializeResult:
    """Yield the metadata of each date; nothing wrong about dates that are skipped."""
    for day in landed:
        rows, metadata = describe(day)
        _add_metadata(context, key, day, {"dagster/row_count": rows, **metadata})
    return dg.MaterializeResult(asset_key=key)


def _add_metadata(
    context: dg.AssetExecutionContext, key: str, day: LandedDay, metadata: dict[str, Any]
) -> None:
    date = day.landed.as_of_date.isoformat()
    if dg.AssetKey(key) not in context.selected_asset_keys or date not in context.partition_keys:
        # Both files are landed together, whichever asset is requested; and a day whose build was
        # interrupted is landed with the requested days.
        return
    context.add_asset_metadata(
        {"as_of_date": date, **metadata}, asset_key=dg.AssetKey(key), partition_key=date
    )


def materialized(
    context: dg.AssetExecutionContext,
    source: SourceFile,
    files: Sequence[tuple[LandedDay, LandedFile]],
) -> dg.MaterializeResult:
    """Yield the event of each date's file of a kind."""
    key = f"{source.table}_raw"
    for day, file in files:
        stored = landed_records.file_in(day.landed.folder, source)
        _add_metadata(
            context,
            key,
            day,
            {
                "dagster/row_count": file.landed_records,
                "delivered_file": file.delivered_name,
                "delivered_bytes": file.stored_bytes,
                "sha256": file.sha256,
                "rejected_records": file.rejected_records,
                "extra_columns": dg.MetadataValue.json(list(file.extra_columns)),
                "parquet": dg.MetadataValue.path(str(stored)),
                "parquet_bytes": stored.stat().st_size,
                # Both files are landed together.
                "duration_seconds": day.seconds,
                "control_totals": _compared(file, day.landed),
            },
        )
    only = files[0][1].sha256 if len(files) == 1 else None
    return dg.MaterializeResult(
        asset_key=key,
        # Dagster keeps one for all dates of a run.
        data_version=None if only is None else dg.DataVersion(only),
    )


def _compared(file: LandedFile, landed: LandedDelivery) -> str:
    """Describe the control totals of a file."""
    for totals in () if landed.control is None else landed.control.totals:
        if totals.source_file == file.source_file:
            amount = "" if totals.sum_of_balances is None else f", {totals.sum_of_balances:,f}"
            return f"compared and equal: {totals.records:,} records{amount}"
    return "none were delivered"


def accounted_for(source: SourceFile, files: Sequence[LandedFile]) -> dg.AssetCheckResult:
    """Return the check whether every physical line of the files of a kind is accounted for."""
    return dg.AssetCheckResult(
        asset_key=f"{source.table}_raw",
        check_name=LINES_CHECK,
        passed=all(file.is_complete for file in files),
        description=LINES_CHECK_DESCRIPTION,
        metadata={
            "physical_lines": sum(file.physical_lines for file in files),
            "header_lines": sum(file.header_lines for file in files),
            "empty_lines": sum(file.empty_lines for file in files),
            "lines_of_landed_records": sum(file.landed_lines for file in files),
            "lines_of_rejected_records": sum(file.rejected_lines for file in files),
        },
    )


def ended(source: SourceFile, landed: Sequence[LandedDay]) -> dg.AssetCheckResult:
    """Warn of files of a kind that may have been cut off in the middle of their last line."""
    dates = [
        day.landed.as_of_date.isoformat()
        for day in landed
        if source.name in day.landed.maybe_cut_off
    ]
    return dg.AssetCheckResult(
        asset_key=f"{source.table}_raw",
        check_name=CUT_OFF_CHECK,
        passed=not dates,
        severity=dg.AssetCheckSeverity.WARN,
        description=CUT_OFF_DESCRIPTION
        if not dates
        else f"{source.name} of {', '.join(dates)}: {CUT_OFF_DESCRIPTION}",
        metadata={"dates": dg.MetadataValue.json(dates)},
    )
