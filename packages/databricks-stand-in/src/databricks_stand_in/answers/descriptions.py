"""DESCRIBE TABLE … AS JSON, SHOW TABLE EXTENDED and ANALYZE TABLE.

Spark 4.2 has the first for views only, and the second without a Delta table's columns.

https://docs.databricks.com/sql/language-manual/sql-ref-syntax-aux-describe-table.html
https://docs.databricks.com/sql/language-manual/sql-ref-syntax-aux-analyze-table.html
"""

import datetime as dt
import json
from typing import Any

import pyarrow as pa

from databricks_stand_in.catalogs import Relation, column_as_json
from databricks_stand_in.commands import Commands, Match, command, like
from databricks_stand_in.information_schema import OWNER
from databricks_stand_in.results import Result
from databricks_stand_in.sessions import Session


@command(r"(?:DESCRIBE|DESC)(?: TABLE)? EXTENDED (?P<name><NAME>) AS JSON")
def describe_as_json(commands: Commands, session: Session, match: Match) -> Result:
    if commands.is_temporary(session, match["name"]):
        # Such a view is the session's own, and Spark describes views.
        return commands.run_in_spark(session, match.string)
    relation = commands.require_relation(commands.full_name(session, match["name"]))
    keys = commands.governance.keys.get(relation.full_name, {})
    described: dict[str, Any] = {
        "table_name": relation.name,
        "catalog_name": commands.name,
        "schema_name": relation.schema,
        "namespace": [relation.schema],
        "columns": [column_as_json(field) for field in relation.columns.fields],
        "owner": OWNER,
        "comment": relation.table_comment,
        "type": relation.kind,
    }
    if relation.kind == "VIEW":
        described["view_text"] = relation.view_text_in(commands.name)
    else:
        described["provider"] = "delta"
        described["location"] = relation.location
        described["table_properties"] = relation.properties
    if keys:
        listed = ", ".join(f"({name},{body})" for name, body in keys.items())
        described["table_constraints"] = f"[{listed}]"
    return commands.texts(json_metadata=[json.dumps(described)])


@command(r"ANALYZE TABLE (?P<name><NAME>) COMPUTE (?:DELTA )?STATISTICS(?: .*)?")
def analyze(commands: Commands, session: Session, match: Match) -> Result:
    commands.require_relation(commands.full_name(session, match["name"]))
    return Result.empty()


# --- sql-ref-syntax-aux-show-table


@command(r"SHOW TABLE EXTENDED(?: (?:IN|FROM) (?P<name><NAME>))? LIKE (?P<like><TEXT>)")
def show_table_extended(commands: Commands, session: Session, match: Match) -> Result:
    schema = commands.schema_of(session, match["name"])
    relations = commands.catalog.relations(schema)
    wanted = set(like([relation.name for relation in relations], match["like"]))
    found = [relation for relation in relations if relation.name in wanted]
    columns = {
        "database": pa.array([schema] * len(found), pa.string()),
        "tableName": pa.array([relation.name for relation in found], pa.string()),
        "isTemporary": pa.array([False] * len(found), pa.bool_()),
        "information": pa.array([_information(commands, r) for r in found], pa.string()),
    }
    return Result.of_table(pa.table(columns))


def _information(commands: Commands, relation: Relation) -> str:
    created = dt.datetime.fromtimestamp(relation.created / 1000, dt.UTC)
    lines = {
        "Catalog": commands.name,
        "Database": relation.schema,
        "Table": relation.name,
        "Owner": OWNER,
        "Created Time": created.strftime("%a %b %d %H:%M:%S UTC %Y"),
        "Last Access": "UNKNOWN",
        "Type": relation.kind,
        "Provider": None if relation.kind == "VIEW" else "delta",
        "Comment": relation.table_comment,
        "Location": relation.location,
        "View Text": relation.view_text_in(commands.name),
    }
    text = "".join(f"{name}: {value}\n" for name, value in lines.items() if value)
    return f"{text}Schema: {relation.columns.treeString()}\n"
