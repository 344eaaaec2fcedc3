"""The I/O manager for Parquet: streams in, atomic files out, frames of your choice back."""

import time
from typing import Any, Final

import dagster as dg

from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.publish.parquet_files import read_parquet_file, write_parquet_file

# Metadata of an asset whose one file holds the newest state, whichever partition is processed.
HOLDS_NEWEST: Final = "lending_club/holds_newest"


class ParquetIOManager(dg.ConfigurableIOManager):
    """Keeps each asset as one Parquet file, `<base>/<asset>.parquet` (partitions in a folder).

    An asset `<name>_parquet` is kept as `<name>.parquet`. With the metadata `HOLDS_NEWEST` it is
    one file for all partitions.

    It writes what an engine streams (an object with `write_parquet`), Arrow tables and record
    batch readers, and Polars or pandas frames; a reader sees the old file or the new one. It
    loads what the annotation of the downstream asset's parameter says: `pyarrow.Table`,
    `pyarrow.RecordBatchReader`, `polars.DataFrame`, `polars.LazyFrame` or `pandas.DataFrame`.

    Attributes:
        settings: of the project; its output folder is the base if no other is given.
        base: folder or fsspec URL, such as `s3://bucket/outputs`; empty means `OUTPUT_PATH`.
    """

    settings: dg.ResourceDependency[DataPlatformConfig]
    base: str = ""

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Write an asset.

        Raises:
            OutputError: the target cannot be written; what was there stays as it is.
            TypeError: the object is nothing that this I/O manager knows.
        """
        started = time.monotonic()
        written = write_parquet_file(self._url(context), obj, self.settings.objects)
        context.add_output_metadata(
            {
                "published": dg.MetadataValue.path(str(written.path)),
                "size_bytes": written.size_bytes,
                "sha256": written.sha256,
                "duration_seconds": round(time.monotonic() - started, 3),
                "dagster/row_count": written.rows or 0,
            }
        )

    def load_input(self, context: dg.InputContext) -> Any:  # noqa: ANN401 - the annotation decides
        """Load an asset as the type that the parameter is annotated with.

        Raises:
            TypeError: there is no annotation, or one that this I/O manager does not know.
        """
        wanted = context.dagster_type.typing_type
        return read_parquet_file(self._url(context), wanted, self.settings.objects)

    def _url(self, context: dg.InputContext | dg.OutputContext) -> str:
        base = self.base or str(self.settings.outputs.path.absolute())
        parts = [*context.asset_key.path]
        parts[-1] = parts[-1].removesuffix("_parquet")
        if context.has_asset_partitions and not _holds_newest(context):
            parts.append(context.asset_partition_key)
        return f"{base.rstrip('/')}/{'/'.join(parts)}.parquet"


def _holds_newest(context: dg.InputContext | dg.OutputContext) -> bool:
    """Whether an asset is one file that every partition brings up to date."""
    output = context.upstream_output if isinstance(context, dg.InputContext) else context
    return output is not None and bool((output.definition_metadata or {}).get(HOLDS_NEWEST))
