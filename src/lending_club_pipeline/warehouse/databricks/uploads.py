"""Write a landed day as self-describing Parquet parts, for upload into a volume.

Landed files hold neither date nor record number: folder and position in the file imply them. Spark
does not keep positions, so here they become columns.
"""

import datetime as dt
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lending_club_pipeline.contract.source_files import SOURCE_FILES, SourceFile
from lending_club_pipeline.files import duckdb_paths
from lending_club_pipeline.files.duckdb_engines import bounded_engine
from lending_club_pipeline.ingest import landed_records
from lending_club_pipeline.warehouse.databricks.content import content_in_duckdb
from lending_club_pipeline.warehouse.databricks.raw_tables import RAW_TABLES

# The connector reads a whole file into memory before it sends it.
_PART_BYTES: Final = 32 * 2**20


def write_parts(
    landed: Path, as_of_date: dt.date, target: Path, memory_bytes: int, threads: int | None
) -> dict[str, tuple[Path, ...]]:
    """Write the Parquet parts of a landed day; return them by table.

    Args:
        landed: folder of the landed day.
        as_of_date: its business date.
        target: an empty folder to write to.
        memory_bytes: memory limit of the engine that writes.
        threads: threads of that engine; None means all cores.
    """
    parts = {}
    spill = target / "spill"
    with bounded_engine(memory_bytes, threads, spill, keeps_order=False) as connection:
        for table, query in _queries(landed, as_of_date):
            folder = target / table
            connection.execute(
                f"copy ({query}) to {duckdb_paths.literal(folder)} (format parquet, "
                f"compression zstd, compression_level 1, file_size_bytes {_PART_BYTES})"
            )
            parts[table] = tuple(sorted(folder.glob("*.parquet")))
    return parts


def measure(
    landed: Path, as_of_date: dt.date, memory_bytes: int, threads: int | None
) -> dict[tuple[str, str], int]:
    """Return the content of a landed day by table and file, see `content`.

    Args:
        landed: folder of the landed day.
        as_of_date: its business date.
        memory_bytes: memory limit of the engine that reads.
        threads: threads of that engine; None means all cores.
    """
    columns = {table.name: table.content for table in RAW_TABLES}
    found = {}
    with (
        tempfile.TemporaryDirectory() as spill,
        bounded_engine(memory_bytes, threads, Path(spill), keeps_order=False) as connection,
    ):
        for table, query in _queries(landed, as_of_date):
            rows = connection.execute(
                f"select source_file, {content_in_duckdb(columns[table])} from ({query}) "
                "group by source_file"
            ).fetchall()
            found.update({(table, file): int(content) for file, content in rows})
    return found


def _queries(landed: Path, as_of_date: dt.date) -> Iterator[tuple[str, str]]:
    date = f"date '{as_of_date.isoformat()}' as as_of_date"
    files = duckdb_paths.parquet(landed / "files.parquet")
    for source in SOURCE_FILES:
        yield f"{source.table}_raw", _records(source, landed, date, files)
    rejects = duckdb_paths.parquet(landed / "rejects.parquet")
    yield "rejected_records", f"select *, {date} from {rejects}"
    yield "delivered_files", f"select *, {date} from {files}"


def _records(source: SourceFile, landed: Path, date: str, files: str) -> str:
    records = landed_records.relation_of(landed, source)
    fields = ", ".join(f"records.{name}" for name in source.landed_columns)
    return f"""
        select
            {date},
            {duckdb_paths.literal(source.name)} as source_file,
            cast(records.file_row_number + 1 as bigint) as record_number,
            {fields},
            files.sha256 as file_sha256,
            files.loaded_at
        from {records} as records
        inner join {files} as files on files.source_file = {duckdb_paths.literal(source.name)}
    """
