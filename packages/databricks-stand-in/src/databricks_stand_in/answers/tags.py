"""Tags of tables, columns, schemas and volumes.

https://docs.databricks.com/sql/language-manual/sql-ref-syntax-ddl-alter-table.html
"""

import re

from databricks_stand_in.commands import Commands, Match, command, require_column
from databricks_stand_in.lexing import pairs, unquoted
from databricks_stand_in.results import Result
from databricks_stand_in.sessions import Session


@command(
    r"ALTER (?P<kind><KIND>) (?P<name><NAME>) (?P<verb>SET|UNSET) TAGS\s*\((?P<tags>.*)\)",
    r"ALTER (?P<kind>TABLE|VIEW) (?P<name><NAME>) ALTER(?: COLUMN)? (?P<column><PART>) "
    r"(?P<verb>SET|UNSET) TAGS\s*\((?P<tags>.*)\)",
)
def set_tags(commands: Commands, session: Session, match: Match) -> Result:
    securable = commands.securable(session, match["kind"], match["name"])
    if (column := match.groupdict().get("column")) is not None:
        require_column(commands.require_relation(securable[1]), unquoted(column))
        securable = ("COLUMN", f"{securable[1]}.{unquoted(column)}")
    tags = commands.governance.tags[securable]
    if match["verb"].upper() == "SET":
        tags |= pairs(match["tags"])
    else:
        for tag in re.split(r"\s*,\s*", match["tags"].strip()):
            tags.pop(unquoted(tag), None)
    return Result.empty()
