"""Counts of the files of a landed day, kept in `files.parquet`."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from lending_club_pipeline.files import duckdb_paths
from lending_club_pipeline.ingest.deliveries.control_totals import ControlTotals

# Types of DuckDB by column name, in order.
FILE_COLUMNS: Final = {
    "source_file": "varchar",
    "delivered_name": "varchar",
    "sha256": "varchar",
    "stored_bytes": "bigint",
    "loaded_at": "timestamp",
    "physical_lines": "bigint",
    "header_lines": "bigint",
    "empty_lines": "bigint",
    "landed_records": "bigint",
    "landed_lines": "bigint",
    "rejected_records": "bigint",
    "rejected_lines": "bigint",
    "extra_columns": "varchar[]",
}


@dataclass(frozen=True)
class LandedFile:
    """Counts of one delivered file; its fields are the columns of `files.parquet`.

    `loaded_at` is in UTC and, as in Parquet, without a time zone.

    The counts satisfy physical_lines = header_lines + empty_lines + landed_lines +
    rejected_lines: the first is counted from the bytes, the others from the landed files.
    """

    source_file: str
    delivered_name: str
    sha256: str
    stored_bytes: int
    loaded_at: dt.datetime
    physical_lines: int
    header_lines: int
    empty_lines: int
    landed_records: int
    landed_lines: int
    rejected_records: int
    rejected_lines: int
    extra_columns: tuple[str, ...]

    @property
    def accounted_lines(self) -> int:
        """Lines that are header, empty, landed or rejected."""
        return self.header_lines + self.empty_lines + self.landed_lines + self.rejected_lines

    @property
    def is_complete(self) -> bool:
        """Whether every physical line is accounted for."""
        return self.accounted_lines == self.physical_lines


@dataclass(frozen=True)
class LandedDelivery:
    """A landed day.

    Attributes:
        as_of_date: its business date.
        folder: folder of its Parquet files.
        files: counts of each file.
        is_unchanged: the same files were landed before, so nothing was done.
        control: the control totals that they were compared with, or None.
        maybe_cut_off: names of the source files whose last line has no line end.
    """

    as_of_date: dt.date
    folder: Path
    files: tuple[LandedFile, ...]
    is_unchanged: bool
    control: ControlTotals | None = None
    maybe_cut_off: frozenset[str] = frozenset()


def landed_folder(landing: Path, as_of_date: dt.date) -> Path:
    """Return the folder of a landed day."""
    return landing / f"as_of_date={as_of_date.isoformat()}"


def read_landed_files(folder: Path) -> tuple[LandedFile, ...]:
    """Read the counts of a landed day; empty if that day was never landed."""
    path = folder / "files.parquet"
    if not path.exists():
        return ()
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"select {', '.join(FILE_COLUMNS)} from {duckdb_paths.parquet(path)}"
        ).fetchall()
    named = (dict(zip(FILE_COLUMNS, row, strict=True)) for row in rows)
    return tuple(
        LandedFile(**{**file, "extra_columns": tuple(file["extra_columns"])}) for file in named
    )


def write_landed_files(
    connection: duckdb.DuckDBPyConnection, files: tuple[LandedFile, ...], target: Path
) -> None:
    """Write the counts of a landed day to `target`, for `read_landed_files`."""
    columns = ", ".join(f"{name} {type_}" for name, type_ in FILE_COLUMNS.items())
    connection.execute(f"create table files ({columns})")
    for file in files:
        values = [getattr(file, name) for name in FILE_COLUMNS]
        values[-1] = list(file.extra_columns)
        connection.execute(f"insert into files values ({', '.join('?' * len(values))})", values)
    connection.execute(f"copy files to {duckdb_paths.literal(target)} (format parquet)")
