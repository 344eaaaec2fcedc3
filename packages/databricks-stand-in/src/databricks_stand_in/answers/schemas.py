"""CREATE SCHEMA with a name that Unity Catalog takes in backticks, and Spark's own catalog refuses.

https://docs.databricks.com/sql/language-manual/sql-ref-names.html
"""

from databricks_stand_in.commands import Commands, Match, command
from databricks_stand_in.lexing import unquoted
from databricks_stand_in.results import Result
from databricks_stand_in.sessions import Session


@command(
    r"CREATE (?:SCHEMA|DATABASE)(?P<lenient> IF NOT EXISTS)? "
    r"(?P<name>(?:<PART>\s*\.\s*)?`[\w-]*-[\w-]*`)(?: COMMENT (?P<comment><TEXT>))?"
)
def create_schema(commands: Commands, session: Session, match: Match) -> Result:
    """Make a schema whose name has a hyphen."""
    name = commands.full_name(session, match["name"], is_schema=True)
    comment = unquoted(match["comment"]) if match["comment"] else ""
    commands.catalog.create_schema(name, comment, is_lenient=match["lenient"] is not None)
    return Result.empty()
