"""ALTER TABLE … ALTER COLUMN … SET NOT NULL, which Delta outside of Databricks refuses.

https://docs.databricks.com/sql/language-manual/sql-ref-syntax-ddl-alter-table-manage-column.html
"""

import json
import time
from pathlib import Path
from typing import Any

from tests.databricks.stand_in.catalogs import Relation
from tests.databricks.stand_in.commands import Commands, Match, command
from tests.databricks.stand_in.errors import StatementError
from tests.databricks.stand_in.lexing import unquoted
from tests.databricks.stand_in.results import Result
from tests.databricks.stand_in.sessions import Session
from tests.databricks.stand_in.spark import SPARK_CATALOG


@command(
    r"ALTER TABLE (?P<name><NAME>) (?:ALTER|CHANGE)(?: COLUMN)? (?P<column><PART>) SET NOT NULL;?"
)
def set_not_null(commands: Commands, session: Session, match: Match) -> Result:
    """Forbid NULL in a column, if it holds none: by a commit that changes the table's schema."""
    relation = commands.require_relation(commands.full_name(session, match["name"]))
    column = unquoted(match["column"])
    table = f"{SPARK_CATALOG}.`{relation.schema}`.`{relation.name}`"
    field = next((it for it in relation.columns if it.name.lower() == column.lower()), None)
    if field is None or relation.location is None:
        text = f"A column with name `{column}` cannot be resolved."
        raise StatementError("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "42703", text)
    if session.spark.sql(f"select 1 from {table} where `{field.name}` is null limit 1").count():
        text = f"NOT NULL constraint violated for column: {field.name}."
        raise StatementError("DELTA_NOT_NULL_CONSTRAINT_VIOLATED", "23502", text)
    if field.nullable:
        _commit(relation, field.name)
    return Result.empty()


def _commit(relation: Relation, column: str) -> None:
    folder = Path((relation.location or "").removeprefix("file:")) / "_delta_log"
    versions = sorted(folder.glob("*.json"), reverse=True)
    metadata = next(it for version in versions if (it := _metadata(version)) is not None)
    schema = json.loads(metadata["schemaString"])
    for field in schema["fields"]:
        if field["name"] == column:
            field["nullable"] = False
    changed = {**metadata, "schemaString": json.dumps(schema)}
    info = {
        "timestamp": int(time.time() * 1000),
        "operation": "CHANGE COLUMN",
        "operationParameters": {"column": json.dumps({"name": column, "nullable": False})},
        "isolationLevel": "Serializable",
        "isBlindAppend": True,
        "operationMetrics": {},
    }
    new = folder / f"{int(versions[0].stem) + 1:020d}.json"
    # A version that another writer has made meanwhile is never overwritten.
    with new.open("x") as log:
        log.writelines(
            json.dumps(it) + "\n" for it in ({"commitInfo": info}, {"metaData": changed})
        )


def _metadata(version: Path) -> dict[str, Any] | None:
    lines = (json.loads(line) for line in version.read_text().splitlines())
    return next((line["metaData"] for line in lines if "metaData" in line), None)
