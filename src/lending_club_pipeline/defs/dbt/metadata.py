"""Metadata of built models for Dagster: rows, columns, duration."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from lending_club_pipeline.dbt_runner.invocation import NodeResult
from lending_club_pipeline.warehouse import Warehouse


@dataclass(frozen=True)
class TableFacts:
    """Facts about a relation from the warehouse.

    Attributes:
        row_count: rows in it, or None if they are not counted.
        columns: type by column name, in order.
    """

    row_count: int | None
    columns: Mapping[str, str]


def read_table_facts(
    warehouse: Warehouse, names: Sequence[str], uncounted: Collection[str] = ()
) -> dict[str, TableFacts]:
    """Read rows and columns of some relations, with two statements in all.

    Args:
        warehouse: the open warehouse.
        names: the relations.
        uncounted: relations whose rows are not counted.
    """
    counts = " union all ".join(
        f"select '{name}' as name, count(*) as row_count from {name}"
        for name in names
        if name not in uncounted
    )
    row_counts = (
        {row["name"]: row["row_count"] for row in warehouse.fetch(counts)} if counts else {}
    )
    columns = read_columns(warehouse, names) if names else {}
    return {name: TableFacts(row_counts.get(name), columns[name]) for name in names}


def read_columns(warehouse: Warehouse, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Read the columns of some relations, in order, and their types."""
    listed = ", ".join(f"'{name}'" for name in names)
    columns: dict[str, dict[str, str]] = {name: {} for name in names}
    for row in warehouse.fetch(
        "select table_name, column_name, data_type from information_schema.columns "
        f"where table_schema = current_schema() and table_name in ({listed}) "
        "order by table_name, ordinal_position"
    ):
        columns[row["table_name"]][row["column_name"]] = row["data_type"].lower()
    return columns


def model_metadata(
    result: NodeResult | None, facts: TableFacts | None, descriptions: Mapping[str, str]
) -> dict[str, Any]:
    """Return the metadata of a materialized model.

    Args:
        result: dbt's result, or None for an ephemeral model.
        facts: facts from the warehouse, or None for an ephemeral model.
        descriptions: documented columns.
    """
    metadata: dict[str, Any] = {}
    if result is not None:
        metadata["duration_seconds"] = result.seconds
    if facts is not None:
        if facts.row_count is not None:
            metadata["dagster/row_count"] = facts.row_count
        metadata["dagster/column_schema"] = dg.TableSchema(
            [
                dg.TableColumn(column, type_, descriptions.get(column))
                for column, type_ in facts.columns.items()
            ]
        )
    return metadata


def lineage_metadata(columns: Mapping[str, Sequence[tuple[str, str]]]) -> dict[str, Any]:
    """Return the column lineage of a model as Dagster shows it."""
    if not columns:
        return {}
    deps = {
        column: [
            dg.TableColumnDep(asset_key=parent, column_name=parent_column)
            for parent, parent_column in parents
        ]
        for column, parents in columns.items()
    }
    return {"dagster/column_lineage": dg.TableColumnLineage(deps)}
