"""Comments on columns and volumes, which Spark has not.

https://docs.databricks.com/sql/language-manual/sql-ref-syntax-ddl-comment.html
"""

import re

from databricks_stand_in.commands import Commands, Match, command
from databricks_stand_in.lexing import PART, unquoted
from databricks_stand_in.results import Result
from databricks_stand_in.sessions import Session


@command(r"COMMENT ON COLUMN (?P<name><COLUMN_NAME>) IS (?P<comment><TEXT>|NULL)")
def comment_on_column(commands: Commands, session: Session, match: Match) -> Result:
    return commands.run_in_spark(session, column_comment(match["name"], match["comment"]))


def column_comment(name: str, comment: str) -> str:
    """Return the statement by which Spark comments a column."""
    # The command's pattern has made sure that there is one.
    [found] = re.finditer(rf"\A(.*)\.\s*({PART})\Z", name, re.DOTALL)
    table, column = found.groups()
    text = "''" if comment.upper() == "NULL" else comment
    return f"ALTER TABLE {table.strip()} ALTER COLUMN {column} COMMENT {text}"


@command(r"COMMENT ON VOLUME (?P<name><NAME>) IS (?P<comment><TEXT>|NULL)")
def comment_on_volume(commands: Commands, session: Session, match: Match) -> Result:
    schema, volume = commands.securable(session, "VOLUME", match["name"])[1].split(".")
    text = None if match["comment"].upper() == "NULL" else unquoted(match["comment"])
    commands.volumes.create(schema, volume, text, if_missing=True)
    return Result.empty()
