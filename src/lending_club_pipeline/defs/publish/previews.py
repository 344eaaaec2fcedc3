"""What Dagster shows of the published tables: their columns and a few rows.

Names of customers and raw records are never among them.
"""

from typing import Any, Final

import dagster as dg

from lending_club_pipeline.publish.tables import ACCOUNT_SUMMARY
from lending_club_pipeline.reconcile.ledger import DeliveryLedger
from lending_club_pipeline.warehouse import Warehouse

_PREVIEW_ROWS: Final = 5

SUMMARY_COLUMNS: Final = dg.TableSchema(
    [
        dg.TableColumn("customer_id", "bigint", "Number of the customer who owns the account."),
        dg.TableColumn("account_id", "string", "Text that names the account."),
        dg.TableColumn("original_balance", "decimal(18,2)", "Balance as delivered."),
        dg.TableColumn("interest_rate", "decimal(6,4)", "Rate of one year as a fraction."),
        dg.TableColumn("annual_interest", "decimal(18,2)", "Interest of one year, half up."),
        dg.TableColumn("new_balance", "decimal(18,2)", "Original balance + annual interest."),
    ]
)
QUARANTINE_COLUMNS: Final = dg.TableSchema(
    [
        dg.TableColumn("as_of_date", "date", "Business date of the delivery."),
        dg.TableColumn("source_file", "string", "File that the record came from."),
        dg.TableColumn("record_number", "bigint", "Position among the landed records."),
        dg.TableColumn("line_number", "bigint", "Physical line of a rejected record."),
        dg.TableColumn("reasons", "string", "All reasons, sorted, joined by `;`."),
        dg.TableColumn("raw_record", "string", "The record as it came. Personal data."),
    ]
)


def _same_columns(mart: str, columns: dg.TableSchema) -> dict[str, dg.TableColumnLineage]:
    """Return the column lineage of a file whose columns are those of a mart."""
    deps = {
        column.name: [dg.TableColumnDep(dg.AssetKey(mart), column.name)]
        for column in columns.columns
    }
    return {"dagster/column_lineage": dg.TableColumnLineage(deps)}


SUMMARY_LINEAGE: Final = _same_columns("account_summary", SUMMARY_COLUMNS)
QUARANTINE_LINEAGE: Final = _same_columns("quarantined_records", QUARANTINE_COLUMNS)


def markdown_table(rows: list[dict[str, Any]]) -> dg.MarkdownMetadataValue:
    """Show some rows as a table."""
    if not rows:
        return dg.MetadataValue.md("*no rows*")
    lines = [list(rows[0]), ["---"] * len(rows[0])]
    lines += [["" if value is None else str(value) for value in row.values()] for row in rows]
    escaped = (" | ".join(cell.replace("|", "\\|") for cell in line) for line in lines)
    return dg.MetadataValue.md("\n".join(f"| {line} |" for line in escaped))


def preview_of_summary(warehouse: Warehouse) -> dict[str, dg.MarkdownMetadataValue]:
    """Show the first accounts of the summary."""
    return {"preview": markdown_table(warehouse.fetch(f"{ACCOUNT_SUMMARY} limit {_PREVIEW_ROWS}"))}


def preview_of_quarantine(ledger: DeliveryLedger) -> dict[str, dg.MetadataValue]:
    """Show how many records have each reason; the records themselves are personal data."""
    rows = [
        {"source_file": file, "reason": reason, "records": count}
        for (file, reason), count in ledger.reasons.items()
    ]
    by_file: dict[str, dict[str, int]] = {}
    for (file, reason), count in ledger.reasons.items():
        by_file.setdefault(file, {})[reason] = count
    return {"preview": markdown_table(rows), "reasons": dg.MetadataValue.json(by_file)}
