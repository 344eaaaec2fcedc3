"""The I/O manager for Parquet: it writes files atomically, and reads frames of your choice."""

import time
from typing import Any, Final

import dagster as dg

from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.publish.parquet_files import read_parquet_file, write_parquet_file

# Metadata of an asset whose single file holds the newest state, for all partitions.
HOLDS_NEWEST: Final = "lending_club/holds_newest"


class ParquetIOManager(dg.ConfigurableIOManager):
    """Keeps each asset as one Parquet file, `<base>/<asset>.parquet` (partitions in a folder).

    An asset `<name>_parquet` is kept as `<name>.parquet`. With the metadata `HOLDS_NEWEST` it is
    one file for all partitions.

    It writes results of an engine (an object with `write_parquet`), Arrow tables and record
    batch readers, and Polars or pandas frames. A reader sees the old file or the new one. It
    loads the type that annotates the downstream asset's parameter: `pyarrow.Table`,
    `pyarrow.RecordBatchReader`, `polars.DataFrame`, `polars.LazyFrame` or `pandas.DataFrame`.

    Attributes:
        settings: settings of the project; their output folder is the default base.
        base: folder or fsspec URL, such as `s3://bucket/outputs`; empty means `OUTPUT_PATH`.
    """

    settings: dg.ResourceDependency[DataPlatformConfig]
    base: str = ""

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Write an asset.

        Raises:
            OutputError: the target cannot be written; the old file stays.
            TypeError: this I/O manager does not know the type of the object.
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
    """Whether an asset is one file that each partition updates."""
    output = context.upstream_output if isinstance(context, dg.InputContext) else context
    return output is not None and bool((output.definition_metadata or {}).get(HOLDS_NEWEST))
