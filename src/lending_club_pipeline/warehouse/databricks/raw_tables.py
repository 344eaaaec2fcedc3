"""The raw Delta tables: delivered records as text; one statement replaces a date, by name.

Statements follow https://docs.databricks.com/aws/en/sql/language-manual/ (CREATE TABLE, CREATE
VOLUME, PUT INTO, read_files, INSERT … REPLACE WHERE).
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lending_club_pipeline.contract.source_files import ACCOUNTS, CUSTOMERS, SourceFile
from lending_club_pipeline.contract.tables import ExpectedTable
from lending_club_pipeline.ingest.landed_files import FILE_COLUMNS
from lending_club_pipeline.warehouse import approvals
from lending_club_pipeline.warehouse.databricks.content import content_in_spark
from lending_club_pipeline.warehouse.databricks.statements import quoted, text
from lending_club_pipeline.warehouse.protocol import DAILY_RECORDS


@dataclass(frozen=True)
class RawTable:
    """A Delta table of delivered data.

    Attributes:
        name: its name, which is also the name of dbt's source.
        columns: SQL type by column name, in order.
        comment: its content, in words.
        content: the columns that are hashed for the proof.
    """

    name: str
    columns: Mapping[str, str]
    comment: str
    content: tuple[str, ...]


def _records(source: SourceFile) -> RawTable:
    fields = dict.fromkeys(source.landed_columns, "string")
    return RawTable(
        f"{source.table}_raw",
        {
            "as_of_date": "date",
            "source_file": "string",
            "record_number": "bigint",
            **fields,
            "file_sha256": "string",
            "loaded_at": "timestamp_ntz",
        },
        f"Every record of {source.name} that splits into its columns, as text, untouched. "
        "Holds personal data.",
        ("record_number", *fields),
    )


# Spark's names of the types in the landed files.
_SPARK_TYPES: Final = {
    "varchar": "string",
    "varchar[]": "array<string>",
    "bigint": "bigint",
    "timestamp": "timestamp_ntz",
}

RAW_TABLES: Final = (
    _records(CUSTOMERS),
    _records(ACCOUNTS),
    RawTable(
        "rejected_records",
        {
            "source_file": "string",
            "line_number": "bigint",
            "reason": "string",
            "raw_record": "string",
            "as_of_date": "date",
        },
        "Records that do not split into the declared columns. Holds personal data.",
        ("line_number", "reason", "raw_record"),
    ),
    # Must be last: if it names a checksum, that whole delivery is loaded.
    RawTable(
        "delivered_files",
        {
            **{name: _SPARK_TYPES[type_] for name, type_ in FILE_COLUMNS.items()},
            "as_of_date": "date",
        },
        "One row per delivered file and as-of date, with the counts that prove completeness.",
        tuple(name for name, type_ in FILE_COLUMNS.items() if type_ in {"varchar", "bigint"}),
    ),
)

TIMESTAMP: Final = "timestamp_ntz"
# The column with the source file, by table.
_CHECKSUMS: Final = {
    "customers_raw": "file_sha256",
    "accounts_raw": "file_sha256",
    "rejected_records": "''",
    "delivered_files": "sha256",
}


@dataclass(frozen=True)
class RawSchema:
    """The schema that holds the raw tables, and the volume of their files.

    Attributes:
        catalog: Unity Catalog catalog.
        schema: schema in it.
        volume: volume in the schema.
    """

    catalog: str
    schema: str
    volume: str

    def creations(self) -> Iterator[str]:
        """Yield the statements that make missing objects."""
        yield f"create schema if not exists {quoted(self.catalog, self.schema)}"
        yield (
            f"create volume if not exists {quoted(self.catalog, self.schema, self.volume)} "
            "comment 'Deliveries, split into Parquet text. Holds personal data.'"
        )
        for table in RAW_TABLES:
            columns = ", ".join(f"{name} {type_}" for name, type_ in table.columns.items())
            yield (
                f"create table if not exists {quoted(self.catalog, self.schema, table.name)} "
                f"({columns}) using delta cluster by (as_of_date) comment {text(table.comment)}"
            )

        yield (
            f"{approvals.creation(self.approvals, TIMESTAMP)} using delta "
            f"comment {text(approvals.COMMENT)}"
        )

    @property
    def expected(self) -> tuple[ExpectedTable, ...]:
        """The expected definitions of the raw tables."""
        made = {table.name: table.columns for table in RAW_TABLES}
        made[approvals.TABLE] = {**approvals.COLUMNS, "approved_at": TIMESTAMP}
        return tuple(ExpectedTable(name, columns) for name, columns in made.items())

    @property
    def approvals(self) -> str:
        """The qualified name of the table of approvals."""
        return quoted(self.catalog, self.schema, approvals.TABLE)

    def removal(self) -> str:
        """Return the statement that removes the schema with all its objects."""
        return f"drop schema if exists {quoted(self.catalog, self.schema)} cascade"

    def folder_of(self, as_of_date: dt.date, attempt: str) -> str:
        """Return the folder of one upload; each has its own, so that none mixes with another."""
        return f"{self.folder_of_day(as_of_date)}/{attempt}"

    def folder_of_day(self, as_of_date: dt.date) -> str:
        """Return the folder of all uploads of a date."""
        return f"{self.folder_of_volume}/{as_of_date.isoformat()}"

    @property
    def folder_of_volume(self) -> str:
        """The folder of all uploads."""
        return f"/Volumes/{self.catalog}/{self.schema}/{self.volume}"

    def deletions(self, as_of_date: dt.date) -> Iterator[str]:
        """Yield the statements that delete the records of a date; `delivered_files` is the last."""
        for table in (*sorted(DAILY_RECORDS), *(table.name for table in RAW_TABLES)):
            yield (
                f"delete from {quoted(self.catalog, self.schema, table)} "
                f"where as_of_date = date'{as_of_date.isoformat()}'"
            )

    def load(self, table: RawTable, as_of_date: dt.date, folder: str) -> str:
        """Return the statement that replaces a date by the files of an upload."""
        names = ", ".join(table.columns)
        types = ", ".join(f"{name} {type_}" for name, type_ in table.columns.items())
        return (
            f"insert into {quoted(self.catalog, self.schema, table.name)} "
            f"by name replace where as_of_date = date'{as_of_date.isoformat()}' "
            f"select {names} from read_files({text(f'{folder}/{table.name}')}, "
            f"format => 'parquet', schema => {text(types)})"
        )

    def loaded(self, as_of_date: dt.date) -> str:
        """Return the query of the loaded rows and content of a date, by table and file."""

        def counted(table: RawTable) -> str:
            checksum = _CHECKSUMS[table.name]
            return (
                f"select {text(table.name)} as name, source_file, {checksum} as sha256, "
                f"count(*) as row_count, {content_in_spark(table.content)} as content "
                f"from {quoted(self.catalog, self.schema, table.name)} "
                f"where as_of_date = date'{as_of_date.isoformat()}' group by all"
            )

        return " union all ".join(counted(table) for table in RAW_TABLES)
