"""Sessions: USE, SET, SHOW CATALOGS and SHOW SCHEMAS.

https://docs.databricks.com/sql/language-manual/sql-ref-syntax-aux-conf-mgmt-set.html
https://docs.databricks.com/sql/language-manual/sql-ref-syntax-ddl-use-catalog.html
"""

from databricks_stand_in.commands import Commands, Match, command, like
from databricks_stand_in.lexing import unquoted
from databricks_stand_in.results import Result
from databricks_stand_in.sessions import Session


@command(r"(?:USE CATALOG|SET CATALOG) (?P<name><PART>|<TEXT>)")
def use_catalog(commands: Commands, session: Session, match: Match) -> Result:
    commands.securable(session, "CATALOG", match["name"])
    return Result.empty()


@command(r"USE (?:(?:SCHEMA|DATABASE) )?(?P<name><NAME>)")
def use_schema(commands: Commands, session: Session, match: Match) -> Result:
    schema = commands.full_name(session, match["name"], is_schema=True)
    commands.require_schema(schema)
    session.schema = schema
    return Result.empty()


@command(r"SET QUERY_TAGS\s*\[\s*(?P<key><TEXT>)\s*\]\s*=\s*(?P<value><TEXT>|UNSET)")
def set_query_tag(commands: Commands, session: Session, match: Match) -> Result:
    key = unquoted(match["key"])
    if match["value"].upper() == "UNSET":
        session.tags.pop(key, None)
    else:
        session.tags[key] = unquoted(match["value"])
    return Result.empty()


@command(r"SET (?P<name>[\w.]+)\s*=\s*(?P<value>.+)")
def set_parameter(commands: Commands, session: Session, match: Match) -> Result:
    session.configure(match["name"], unquoted(match["value"].strip()))
    return commands.texts(key=[match["name"]], value=[unquoted(match["value"].strip())])


@command(r"SET (?P<name>[\w.]+)")
def show_parameter(commands: Commands, session: Session, match: Match) -> Result:
    return commands.texts(key=[match["name"]], value=[session.setting(match["name"])])


@command(
    r"SHOW (?:SCHEMAS|DATABASES)(?: (?:IN|FROM) (?P<name><PART>))?(?: (?:LIKE )?(?P<like><TEXT>))?"
)
def show_schemas(commands: Commands, session: Session, match: Match) -> Result:
    if match["name"]:
        commands.securable(session, "CATALOG", match["name"])
    return commands.texts(databaseName=like(commands.catalog.schemas(), match["like"]))


@command(r"SHOW CATALOGS(?: (?:LIKE )?(?P<like><TEXT>))?")
def show_catalogs(commands: Commands, session: Session, match: Match) -> Result:
    return commands.texts(catalog=like([commands.name, "system"], match["like"]))
