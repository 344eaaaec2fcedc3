"""ALTER COLUMN … SET NOT NULL, which Databricks has and Delta Lake on its own has not.

https://docs.databricks.com/sql/language-manual/sql-ref-syntax-ddl-alter-table-manage-column.html
"""

import json

from databricks_stand_in.catalogs import Relation
from databricks_stand_in.commands import Commands, Match, command, require_column
from databricks_stand_in.errors import StatementError
from databricks_stand_in.lexing import unquoted
from databricks_stand_in.results import Result
from databricks_stand_in.sessions import Session
from databricks_stand_in.spark import SPARK_CATALOG


@command(
    r"ALTER TABLE (?P<name><NAME>) (?:ALTER|CHANGE)(?: COLUMN)? (?P<column><PART>) SET NOT NULL"
)
def set_not_null(commands: Commands, session: Session, match: Match) -> Result:
    """Forbid NULL in a column, in which there must be none."""
    relation = commands.require_relation(commands.full_name(session, match["name"]))
    column = require_column(relation, unquoted(match["column"]))
    table = f"{SPARK_CATALOG}.`{relation.schema}`.`{relation.name}`"
    nulls = session.spark.table(table).where(f"`{column}` IS NULL").count()
    if nulls:
        text = f"{nulls} rows in {relation.full_name} violate the new NOT NULL constraint on "
        raise StatementError("DELTA_NEW_NOT_NULL_VIOLATION", "23512", f"{text}{column}.")
    _commit(relation, column)
    session.spark.catalog.refreshTable(table)
    return Result.empty()


def _commit(relation: Relation, column: str) -> None:
    """Commit the table's schema with the column not nullable."""
    jvm = relation.spark._jvm
    transaction = relation.delta_log().startTransaction()
    metadata = transaction.metadata()
    schema = json.loads(metadata.schemaString())
    for field in schema["fields"]:
        field["nullable"] = field["nullable"] and field["name"] != column
    text = json.dumps(schema)
    kept = [getattr(metadata, f"copy$default${place}")() for place in range(1, 9)]
    transaction.updateMetadata(metadata.copy(*kept[:4], text, *kept[5:]), False)
    changed = jvm.org.apache.spark.sql.types.DataType.fromJson(text).apply(column)
    nothing = getattr(getattr(jvm.scala.collection.immutable, "Nil$"), "MODULE$")
    no_position = getattr(getattr(jvm.scala, "None$"), "MODULE$")
    operations = jvm.org.apache.spark.sql.delta
    change = getattr(operations, "DeltaOperations$ChangeColumn")
    transaction.commit(nothing, change(nothing, column, changed, no_position))
