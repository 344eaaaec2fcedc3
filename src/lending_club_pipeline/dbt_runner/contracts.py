"""Expected definitions of the incremental tables, from their contracts."""

from typing import Any

from lending_club_pipeline.contract.tables import ExpectedTable
from lending_club_pipeline.dbt_runner.manifest import PreparedManifest


def incremental_tables(prepared: PreparedManifest) -> tuple[ExpectedTable, ...]:
    """Return the tables of the incremental models; dbt makes other tables anew each time.

    Args:
        prepared: the parsed project.
    """
    found = prepared.cached("incremental_tables", lambda: _incremental(prepared.content))
    return tuple(ExpectedTable(**table) for table in found)


def _incremental(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": node["alias"],
            "columns": {
                name.lower(): column["data_type"] for name, column in node["columns"].items()
            },
            "may_lack_columns": node["config"]["on_schema_change"] == "append_new_columns",
        }
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["config"]["materialized"] == "incremental"
    ]
