"""Write a table as one Parquet file, local or remote; read it as a frame of your choice."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

import fsspec

from lending_club_pipeline.config.objects import ObjectSettings
from lending_club_pipeline.contract.locations import SCHEMES, parse_location
from lending_club_pipeline.files.atomic import WrittenFile, describe, replacing
from lending_club_pipeline.storage.filesystems import filesystem_of


@runtime_checkable
class WritesParquet(Protocol):
    """An object that writes itself as a Parquet file, such as a query of an engine."""

    def write_parquet(self, work: Path) -> int:
        """Write to `work` and return the number of rows."""


def write_parquet_file(url: str, table: object, objects: ObjectSettings) -> WrittenFile:
    """Write a table as one Parquet file; a reader sees the old file or the new one.

    Args:
        url: local path or fsspec URL.
        objects: how to reach object stores.
        table: a `WritesParquet`, an Arrow table or record batch reader, a Polars or pandas frame.

    Raises:
        OutputError: the target cannot be written; the old file stays.
        TypeError: the table is none of these.
    """
    return _write_remote(url, table, objects) if "://" in url else _write_local(Path(url), table)


def read_parquet_file(url: str, wanted: type, objects: ObjectSettings) -> Any:  # noqa: ANN401 - the caller decides
    """Read a Parquet file.

    Args:
        url: local path or fsspec URL.
        wanted: `pyarrow.Table`, `pyarrow.RecordBatchReader` (streams), `polars.DataFrame`,
            `polars.LazyFrame` or `pandas.DataFrame`.
        objects: how to reach object stores.

    Raises:
        TypeError: `wanted` is none of these.
    """
    # Ignore the modules in between: a library may move the class.
    package = str(getattr(wanted, "__module__", "")).partition(".")[0]
    name = f"{package}.{getattr(wanted, '__qualname__', wanted)}"
    reader = _READERS.get(name)
    if reader is None:
        raise TypeError(
            f"A Parquet file cannot be loaded as {name}. Annotate the parameter with one of: "
            f"{', '.join(sorted(_READERS))}."
        )
    return reader(_arrow_dataset(url, objects))


def _write_local(target: Path, obj: object) -> WrittenFile:
    with replacing(target) as work:
        rows = _write(obj, work)
    return describe(target, rows)


def _write_remote(url: str, obj: object, objects: ObjectSettings) -> WrittenFile:
    """Write a local file, upload it under a temporary name, then rename it."""
    with tempfile.TemporaryDirectory(prefix="parquet-") as folder:
        work = Path(folder) / "table.parquet"
        rows = _write(obj, work)
        known = describe(work, rows)
        system, path = filesystem_of(url, objects)
        system.makedirs(system._parent(path), exist_ok=True)  # noqa: SLF001 - has no public name
        with _uploaded(system, work, path) as uploaded:
            system.mv(uploaded, path)
    is_known = url.partition("://")[0] in SCHEMES
    place = parse_location(url) if is_known else Path(url)
    return WrittenFile(place, known.size_bytes, known.sha256, rows)


@contextmanager
def _uploaded(system: Any, work: Path, path: str) -> Iterator[str]:  # noqa: ANN401 - has no types
    uploaded = f"{path}.uploading"
    try:
        system.put_file(str(work), uploaded)
        yield uploaded
    finally:
        if system.exists(uploaded):
            system.rm_file(uploaded)


def _write(obj: object, work: Path) -> int:
    if isinstance(obj, WritesParquet):
        return obj.write_parquet(work)
    return _write_arrow(_as_reader(obj), work)


def _as_reader(obj: object) -> Any:  # noqa: ANN401 - Arrow has no types
    import pyarrow as pa  # noqa: PLC0415 - takes 0.1 s, and a query does without it

    if isinstance(obj, pa.RecordBatchReader):
        return obj
    if isinstance(obj, pa.Table):
        return obj.to_reader()
    module = type(obj).__module__.partition(".")[0]
    if module == "polars":
        frame: Any = obj.collect() if hasattr(obj, "collect") else obj
        return frame.to_arrow().to_reader()
    if module == "pandas":
        return pa.Table.from_pandas(obj, preserve_index=False).to_reader()
    raise TypeError(
        f"{type(obj).__name__} cannot be kept as Parquet. Return an Arrow table or reader, a "
        "Polars or pandas frame, or an object with a method write_parquet."
    )


def _write_arrow(reader: Any, work: Path) -> int:  # noqa: ANN401 - Arrow has no types
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    rows = 0
    with pq.ParquetWriter(work, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


def _arrow_dataset(url: str, objects: ObjectSettings) -> Any:  # noqa: ANN401 - Arrow has no types
    import pyarrow.dataset as ds  # noqa: PLC0415 - as above

    # Do not parse the path as a URL, nor its folders as columns.
    system, path = fsspec.filesystem("file"), url
    if "://" in url:
        system, path = filesystem_of(url, objects)
    return ds.dataset(path, filesystem=system, format="parquet", partitioning=None)


def _polars() -> Any:  # noqa: ANN401 - a module
    import polars as pl  # noqa: PLC0415 - an extra

    return pl


def _pandas() -> Any:  # noqa: ANN401 - a module
    import pandas as pd  # noqa: PLC0415 - an extra

    return pd


_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "pyarrow.Table": lambda found: found.to_table(),
    "pyarrow.RecordBatchReader": lambda found: found.scanner().to_reader(),
    "polars.DataFrame": lambda found: _polars().from_arrow(found.to_table()),
    "polars.LazyFrame": lambda found: _polars().scan_pyarrow_dataset(found),
    "pandas.DataFrame": lambda found: found.to_table().to_pandas(types_mapper=_pandas().ArrowDtype),
}
