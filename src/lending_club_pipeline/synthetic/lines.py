"""Write lines that DuckDB computes to a file, in order, on several threads."""

import contextlib
import gzip
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

import duckdb
import pyarrow as pa

from lending_club_pipeline.contract.source_files import Compression
from lending_club_pipeline.synthetic.dirt import NOT_UTF8_BYTE, NOT_UTF8_MARK

# With parts of this size their planning does not matter. All parts under way must fit into memory:
# measured 200 bytes a record with its copies, rounded up.
_MOST_RECORDS_OF_A_PART: Final = 1_000_000
_BYTES_PER_RECORD: Final = 300
_GZIP_LEVEL: Final = 6


@dataclass(frozen=True)
class LineSource:
    """The records of a file.

    Attributes:
        header: its first line, without line end.
        records: how many records there are.
        sql: returns the SQL for the lines of records, from the first to before the second number.
    """

    header: str
    records: int
    sql: Callable[[int, int], str]


@dataclass(frozen=True)
class WritingLimits:
    """Bounds of the work: memory in bytes, threads."""

    memory_bytes: int
    threads: int

    @property
    def records_of_a_part(self) -> int:
        """Number of records that a thread computes at a time."""
        parts = self.threads + 1
        return min(_MOST_RECORDS_OF_A_PART, self.memory_bytes // (parts * _BYTES_PER_RECORD) + 1)


def write_lines(
    connection: duckdb.DuckDBPyConnection,
    source: LineSource,
    target: Path,
    compression: Compression,
    limits: WritingLimits,
    on_written: Callable[[int], None],
) -> None:
    """Write a file; its bytes do not depend on the limits.

    Args:
        connection: an engine of one thread, so that each query runs on the calling thread.
        source: the records.
        target: the file.
        compression: how it is compressed.
        limits: bounds of the work.
        on_written: called with the number of records written so far.
    """
    written = 0
    with _opened(target, compression) as file:
        file.write(f"{source.header}\n".encode())
        for part in _parts(connection, source, limits):
            for text in _texts(part):
                file.write(text)
            written += part.num_rows
            on_written(written)


def _parts(
    connection: duckdb.DuckDBPyConnection, source: LineSource, limits: WritingLimits
) -> Iterator[pa.Table]:
    """Yield the lines in order, while further parts are computed."""
    size = limits.records_of_a_part
    pool = ThreadPoolExecutor(limits.threads)
    under_way: deque[Future[pa.Table]] = deque()
    try:
        for first in range(0, source.records, size):
            sql = source.sql(first, min(first + size, source.records))
            under_way.append(pool.submit(_computed, connection, sql))
            if len(under_way) > limits.threads:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _computed(connection: duckdb.DuckDBPyConnection, sql: str) -> pa.Table:
    with connection.cursor() as cursor:
        return cursor.sql(sql).to_arrow_table()


def _texts(part: pa.Table) -> Iterator[bytes]:
    """Yield the text of a column of lines without touching each line."""
    mark = NOT_UTF8_MARK.encode()
    for lines in part.column(0).chunks:
        # Arrow stores the texts of an array without gaps, and separately where each one begins.
        _, offsets, text = lines.buffers()
        begins = memoryview(offsets).cast("i")
        begin, end = begins[lines.offset], begins[lines.offset + len(lines)]
        yield bytes(memoryview(text)[begin:end]).replace(mark, NOT_UTF8_BYTE)


@contextlib.contextmanager
def _opened(target: Path, compression: Compression) -> Iterator[BinaryIO]:
    if compression == "zst":
        with pa.CompressedOutputStream(str(target), "zstd") as stream:
            yield stream
        return
    with target.open("wb") as plain:
        if compression == "none":
            yield plain
            return
        # Without name and time, so that equal content has equal bytes.
        with gzip.GzipFile("", "wb", _GZIP_LEVEL, plain, mtime=0) as zipped:
            yield cast("BinaryIO", zipped)


def default_threads() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
