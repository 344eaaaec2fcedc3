"""DESCRIBE TABLE … AS JSON, which Spark 4.2 has for views only, and ANALYZE TABLE.

https://docs.databricks.com/sql/language-manual/sql-ref-syntax-aux-describe-table.html
https://docs.databricks.com/sql/language-manual/sql-ref-syntax-aux-analyze-table.html
"""

import json

from tests.databricks.stand_in.catalogs import column_as_json
from tests.databricks.stand_in.commands import Commands, Match, command
from tests.databricks.stand_in.information_schema import OWNER
from tests.databricks.stand_in.results import Result
from tests.databricks.stand_in.sessions import Session
from tests.databricks.stand_in.spark import SPARK_CATALOG


@command(r"(?:DESCRIBE|DESC)(?: TABLE)? EXTENDED (?P<name><NAME>) AS JSON")
def describe_as_json(commands: Commands, session: Session, match: Match) -> Result:
    if commands.is_temporary(session, match["name"]):
        # Such a view is the session's own, and Spark describes views.
        return commands.run_in_spark(session, match.string)
    relation = commands.require_relation(commands.full_name(session, match["name"]))
    keys = commands.governance.keys.get(relation.full_name, {})
    described = {
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
        described["view_text"] = (relation.view_text or "").replace(SPARK_CATALOG, commands.name)
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
