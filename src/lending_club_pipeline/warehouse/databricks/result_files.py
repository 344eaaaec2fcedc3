"""Results of a SQL warehouse as local files, streamed and written by DuckDB.

One writer for both engines makes their files equal to the last byte.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb

from lending_club_pipeline.contract.errors import WarehouseError
from lending_club_pipeline.files import duckdb_paths
from lending_club_pipeline.files.io_errors import is_full
from lending_club_pipeline.files.processes import process_label
from lending_club_pipeline.warehouse.databricks.statements import StatementSession
from lending_club_pipeline.warehouse.duckdb import copy_statement
from lending_club_pipeline.warehouse.protocol import FileFormat

if TYPE_CHECKING:
    import pyarrow as pa

# Memory for a row group and its encoded form; Arrow holds the stream itself.
_WRITER_MEMORY: Final = "64MiB"


def write_result(
    session: StatementSession, query: str, target: Path, file_format: FileFormat
) -> int:
    """Write the result of a query, in its order; return the number of rows.

    If the stream breaks off, it starts again with a new file.

    Raises:
        WarehouseError: the query failed, or the disk is full.
    """

    def write(path: Path) -> int:
        with session.batches(query) as reader:
            return _write(_Watched(reader), path, file_format)

    if file_format == "csv":
        return session.attempt(lambda: write(target))
    streamed = _stream_of(target)
    try:
        rows = session.attempt(lambda: write(streamed))
        _write_again(streamed, target, rows)
    finally:
        streamed.unlink(missing_ok=True)
    return rows


def _stream_of(target: Path) -> Path:
    """Return a name that lets the next run find the file of a killed run."""
    return target.with_name(f"{target.name.removesuffix('.tmp')}.stream.{process_label()}.tmp")


def _write_again(streamed: Path, target: Path, rows: int) -> None:
    """Write a Parquet file again, so that its columns are marked as required.

    DuckDB marks a column as required if its source says that it holds no NULL. A table and a
    Parquet file with rows say so; a stream and a file without rows do not.
    """
    with _writer() as connection:
        connection.execute(f"create view streamed as from {duckdb_paths.parquet(streamed)}")
        if rows:
            connection.execute("create view rows as from streamed")
        else:
            connection.execute("create table rows as from streamed")
            for (column,) in connection.execute(
                "select column_name from (describe rows)"
            ).fetchall():
                connection.execute(f'alter table rows alter column "{column}" set not null')
        _copy(connection, target, "parquet")


def write_file(parquet: Path, target: Path, file_format: FileFormat) -> int:
    """Write a local Parquet file in another format, in its order; return the number of rows."""
    with _writer() as connection:
        connection.execute(f"create view rows as from {duckdb_paths.parquet(parquet)}")
        return _copy(connection, target, file_format)


class _Watched:
    """A stream that keeps the error that broke it, which the writer would hide by its own."""

    def __init__(self, reader: "pa.RecordBatchReader") -> None:
        self._reader = reader
        self.error: Exception | None = None

    def as_reader(self) -> "pa.RecordBatchReader":
        import pyarrow as pa  # noqa: PLC0415 - takes 0.1 s to import

        def batches() -> Iterator["pa.RecordBatch"]:
            try:
                yield from self._reader
            except Exception as error:
                self.error = error
                raise

        return pa.RecordBatchReader.from_batches(self._reader.schema, batches())


def _write(watched: _Watched, target: Path, file_format: FileFormat) -> int:
    with _writer() as connection:
        connection.register("rows", watched.as_reader())
        try:
            return _copy(connection, target, file_format)
        except (duckdb.Error, WarehouseError):
            if watched.error is not None:
                raise watched.error from None
            raise


def _writer() -> duckdb.DuckDBPyConnection:
    # One thread keeps the order without buffering rows, and is faster than the stream.
    return duckdb.connect(config={"memory_limit": _WRITER_MEMORY, "threads": 1})


def _copy(connection: duckdb.DuckDBPyConnection, target: Path, file_format: FileFormat) -> int:
    try:
        row = connection.execute(copy_statement("from rows", target, file_format)).fetchone()
    except duckdb.IOException as error:
        if is_full(error):
            raise WarehouseError(f"{target}: the disk is full.") from error
        raise
    return 0 if row is None else int(row[0])
