"""The outputs that are tables: account_summary as CSV and Parquet, and the quarantine."""

from pathlib import Path
from typing import Final

from lending_club_pipeline.errors import OutputError
from lending_club_pipeline.outputs.atomic_files import WrittenFile, describe, replacing
from lending_club_pipeline.warehouse.protocol import FileFormat, Warehouse

# Both orders are those of bytes; the outputs are part of the project's contract (docs/data-model).
ACCOUNT_SUMMARY: Final = """
    select
        customer_id, account_id, original_balance, interest_rate, annual_interest, new_balance
    from account_summary
    order by account_id
"""
QUARANTINE: Final = """
    select as_of_date, source_file, record_number, line_number, reasons, raw_record
    from quarantined_records
    where as_of_date = (select max(as_of_date) from delivery_ledger where is_closed)
    order by source_file, record_number nulls last, line_number
"""


def write_table(
    warehouse: Warehouse,
    query: str,
    target: Path,
    file_format: FileFormat,
    expected_rows: int,
) -> WrittenFile:
    """Publish a query's result as a file, atomically, if it has the rows that the ledger says.

    Raises:
        OutputError: the number of rows differs, or the file cannot be written.
    """
    with replacing(target) as work:
        rows = warehouse.copy_to_file(query, work, file_format)
        if rows != expected_rows:
            raise OutputError(
                f"{target}: {rows} rows were written, but the ledger says {expected_rows}. "
                "Nothing was published; run again and report this if it happens twice."
            )
    return describe(target, rows)
