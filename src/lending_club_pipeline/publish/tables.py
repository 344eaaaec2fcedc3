"""The outputs that are tables: account_summary as CSV and Parquet, and the quarantine."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lending_club_pipeline.contract.errors import OutputError
from lending_club_pipeline.warehouse.protocol import FileFormat, Warehouse
from lending_club_pipeline.warehouse.serving import ServingColumn

# The columns, in the order of every output.
SUMMARY_COLUMNS: Final = (
    ServingColumn("customer_id", "bigint", "Number of the customer who owns the account."),
    ServingColumn("account_id", "string", "Text that names the account."),
    ServingColumn("original_balance", "decimal(18,2)", "Balance as delivered."),
    ServingColumn("interest_rate", "decimal(6,4)", "Rate of one year as a fraction."),
    ServingColumn("annual_interest", "decimal(18,2)", "Interest of one year, half up."),
    ServingColumn("new_balance", "decimal(18,2)", "Original balance + annual interest."),
)
QUARANTINE_COLUMNS: Final = (
    ServingColumn("as_of_date", "date", "Business date of the delivery."),
    ServingColumn("source_file", "string", "File that the record came from."),
    ServingColumn("record_number", "bigint", "Position among the landed records."),
    ServingColumn("line_number", "bigint", "Physical line of a rejected record."),
    ServingColumn("reasons", "string", "All reasons, sorted, joined by `;`."),
    ServingColumn("raw_record", "string", "The record as it came. Personal data."),
)
SUMMARY_AS_STORED: Final = f"""
    select {", ".join(column.name for column in SUMMARY_COLUMNS)}
    from account_summary
"""
# Both orders are those of bytes; the outputs are part of the project's contract (docs/data-model).
ACCOUNT_SUMMARY: Final = f"{SUMMARY_AS_STORED} order by account_id"
QUARANTINE: Final = f"""
    select {", ".join(column.name for column in QUARANTINE_COLUMNS)}
    from quarantined_records
    where as_of_date = (select max(as_of_date) from publishable_deliveries)
    order by source_file, record_number nulls last, line_number
"""


@dataclass(frozen=True)
class PublishedTable:
    """A query whose result is published, and its number of rows according to the ledger.

    Attributes:
        warehouse: the open warehouse that runs the query.
        name: its name in errors.
        query: SQL with the order of the rows.
        expected_rows: number of rows according to the ledger.
    """

    warehouse: Warehouse
    name: str
    query: str
    expected_rows: int

    def write_csv(self, work: Path) -> int:
        """Write the result as CSV; see `_write`."""
        return self._write(work, "csv")

    def write_parquet(self, work: Path) -> int:
        """Write the result as Parquet; see `_write`."""
        return self._write(work, "parquet")

    def _write(self, work: Path, file_format: FileFormat) -> int:
        """Let the engine write the file; return the number of rows.

        Raises:
            OutputError: the number of rows differs from the ledger.
        """
        rows = self.warehouse.copy_to_file(self.query, work, file_format)
        if rows != self.expected_rows:
            raise OutputError(
                f"{self.name}: {rows} rows were written, but the ledger says "
                f"{self.expected_rows}. Nothing was published; run again and report this if it "
                "happens twice."
            )
        return rows


@dataclass(frozen=True)
class SortedTable:
    """A table that was sorted once for both of its files.

    Attributes:
        table: the table, with the order of its rows.
        file: temporary Parquet file with its rows, on the disk of the outputs.
    """

    table: PublishedTable
    file: Path

    def write_csv(self, work: Path) -> int:
        """Write the rows of the temporary file as CSV, in their order."""
        return self.table.warehouse.convert_to_csv(self.file, work)

    def write_parquet(self, work: Path) -> int:
        """Move the temporary file to `work`."""
        shutil.move(self.file, work)
        return self.table.expected_rows


def summary_in_order(
    warehouse: Warehouse, rows: int, work: Path, on_progress: Callable[[str], None]
) -> PublishedTable | SortedTable:
    """Return the account summary in its order; sort it only if it is not stored in order.

    Args:
        warehouse: an open warehouse.
        rows: number of rows according to the ledger.
        work: temporary file for the sorted rows, on the disk of the outputs.
        on_progress: called with a short text if it is sorted.

    Raises:
        OutputError: the number of rows differs from the ledger.
    """
    name = "account_summary"
    if warehouse.is_stored_in_order(name, "account_id"):
        return PublishedTable(warehouse, name, SUMMARY_AS_STORED, rows)
    on_progress(f"Sorting {name}")
    table = PublishedTable(warehouse, name, ACCOUNT_SUMMARY, rows)
    table.write_parquet(work)
    return SortedTable(table, work)
