"""Specs of the assets of landed files."""

from typing import Final

import dagster as dg

from lending_club_pipeline.contract.source_files import SourceFile

_OWNERS: Final = ["data-platform@lendingclub.example"]
_KINDS: Final = {"csv", "parquet"}
_PROVENANCE: Final = [
    dg.TableColumn("as_of_date", "date", "Business date of the delivery."),
    dg.TableColumn("source_file", "string", "File that the record came from."),
    dg.TableColumn("record_number", "bigint", "Position among the landed records, from 1."),
    dg.TableColumn("file_sha256", "string", "SHA-256 of the file as it was stored."),
    dg.TableColumn("loaded_at", "timestamp", "When it was landed (UTC)."),
]


def raw_spec(source: SourceFile) -> dg.AssetSpec:
    """Return the asset of the records of one file."""
    columns = [
        dg.TableColumn(name, "string", f"{column} as delivered, untouched.")
        for name, column in zip(source.landed_columns, source.columns, strict=True)
    ]
    return dg.AssetSpec(
        f"{source.table}_raw",
        description=(
            f"Every record of `{source.name}` that splits into its columns, as text, untouched, "
            "with as-of date, record number, load time and the file's SHA-256."
        ),
        group_name="raw",
        kinds=_KINDS,
        owners=_OWNERS,
        metadata={"dagster/column_schema": dg.TableSchema([*columns, *_PROVENANCE])},
    )


REJECTED_RECORDS: Final = dg.AssetSpec(
    "rejected_records",
    description="Records that do not split into the declared columns, with line, text and reason.",
    group_name="raw",
    kinds=_KINDS,
    owners=_OWNERS,
)
DELIVERED_FILES: Final = dg.AssetSpec(
    "delivered_files",
    description=(
        "One row per delivered file: checksum, size, and the counts that prove that every "
        "physical line is accounted for."
    ),
    group_name="raw",
    kinds=_KINDS,
    owners=_OWNERS,
)
LINES_CHECK: Final = "every_physical_line_is_accounted_for"
LINES_CHECK_DESCRIPTION: Final = (
    "Physical lines, counted from the bytes, = header + empty lines + lines of landed records + "
    "lines of rejected records."
)
CUT_OFF_CHECK: Final = "the_last_line_is_ended"
CUT_OFF_DESCRIPTION: Final = (
    "A file whose last line has no line end may have been cut off: ask its sender."
)
