"""Previews of the published tables in Dagster: their columns and a few rows.

Names of customers and raw records are never among them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

from lending_club_pipeline.reconcile.ledger import DeliveryLedger
from lending_club_pipeline.warehouse.serving import ServingColumn


def table_schema(columns: Iterable[ServingColumn]) -> dg.TableSchema:
    """Return columns in Dagster's form.

    Args:
        columns: the columns of a published table.
    """
    return dg.TableSchema([dg.TableColumn(it.name, it.type, it.comment) for it in columns])


def column_lineage(mart: str, columns: Iterable[ServingColumn]) -> dict[str, Any]:
    """Return the column lineage of an output with the columns of a mart, as metadata.

    Args:
        mart: the model.
        columns: the columns.
    """
    deps = {it.name: [dg.TableColumnDep(dg.AssetKey(mart), it.name)] for it in columns}
    return {"dagster/column_lineage": dg.TableColumnLineage(deps)}


def markdown_table(rows: Sequence[Mapping[str, Any]]) -> dg.MarkdownMetadataValue:
    """Show some rows as a table."""
    if not rows:
        return dg.MetadataValue.md("*no rows*")
    lines = [list(rows[0]), ["---"] * len(rows[0])]
    lines += [["" if value is None else str(value) for value in row.values()] for row in rows]
    escaped = (" | ".join(cell.replace("|", "\\|") for cell in line) for line in lines)
    return dg.MetadataValue.md("\n".join(f"| {line} |" for line in escaped))


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
