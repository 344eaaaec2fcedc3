"""Views of the embedded engine over the landed files of all days."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lending_club_pipeline.contract.source_files import SOURCE_FILES, SourceFile
from lending_club_pipeline.files.duckdb_paths import parquet_of_all_days
from lending_club_pipeline.ingest import landed_records

_FILES: Final = {"delivered_files": "files.parquet", "rejected_records": "rejects.parquet"}
NAMES: Final = (*_FILES, *(f"{source.table}_raw" for source in SOURCE_FILES))


def definitions(landing: Path) -> Iterator[str]:
    """Return the statements that make the views.

    Args:
        landing: folder of the landed days.
    """
    for view, name in _FILES.items():
        yield f"create or replace view {view} as from {parquet_of_all_days(landing, name)}"
    for source in SOURCE_FILES:
        yield _records_of(source, landing)


def _records_of(source: SourceFile, landing: Path) -> str:
    older = landed_records.older_file_name(source)
    has_older = any(landing.glob(f"as_of_date=*/{older}"))
    name = f"{source.table}*.parquet" if has_older else landed_records.file_name(source)
    records = parquet_of_all_days(landing, name, numbered=True, by_name=has_older)
    fields = ",\n            ".join(landed_records.decoded(source, "records"))
    numbers = ", ".join(f"records.{number}" for number in source.numbers.values())
    return f"""
        create or replace view {source.table}_raw as
        select
            records.as_of_date,
            '{source.name}' as source_file,
            records.file_row_number + 1 as record_number,
            {fields},
            files.sha256 as file_sha256,
            files.loaded_at,
            {numbers}
        from {records} as records
        left join delivered_files as files
            on records.as_of_date = files.as_of_date and files.source_file = '{source.name}'
    """
