"""Statements that Spark does not have, first those on sessions and volumes.

The pages named below are those of https://docs.databricks.com/sql/language-manual/
"""

import re
from collections.abc import Callable
from typing import Any, Final

import pyarrow as pa

from tests.databricks.stand_in.catalogs import Catalog, Relation
from tests.databricks.stand_in.errors import StatementError
from tests.databricks.stand_in.information_schema import OWNER
from tests.databricks.stand_in.lexing import unquoted
from tests.databricks.stand_in.registers import Governance
from tests.databricks.stand_in.results import Result
from tests.databricks.stand_in.sessions import Session
from tests.databricks.stand_in.volumes import Volumes

Match = re.Match[str]
Command = Callable[["Commands", Session, Match], Result]
COMMANDS: Final[list[tuple[re.Pattern[str], Command]]] = []

_PART = r"(?:`(?:[^`]|``)+`|\w+)"
_PIECES: Final = {
    "NAME": rf"{_PART}(?:\s*\.\s*{_PART}){{0,2}}",
    "COLUMN_NAME": rf"{_PART}(?:\s*\.\s*{_PART}){{1,3}}",
    "PART": _PART,
    "TEXT": r"(?:'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\")",
    "KIND": r"(?:CATALOG|SCHEMA|DATABASE|TABLE|VIEW|VOLUME)",
}


def command(*patterns: str) -> Callable[[Command], Command]:
    """Register a command for patterns, in which a space is any white space."""

    def register(answer: Command) -> Command:
        for pattern in patterns:
            whole = pattern.replace(" ", r"\s+")
            for name, piece in _PIECES.items():
                whole = whole.replace(f"<{name}>", piece)
            COMMANDS.append((re.compile(whole, re.IGNORECASE | re.DOTALL), answer))
        return answer

    return register


class Commands:
    """Answers statements from volumes and registers.

    Args:
        name: the catalog's name for clients.
        base_url: address at which files are transferred.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        catalog: Catalog,
        governance: Governance,
        volumes: Volumes,
    ) -> None:
        self.name, self.base_url = name, base_url
        self.catalog, self.governance, self.volumes = catalog, governance, volumes

    # --- names ---------------------------------------------------------------------------

    def full_name(self, session: Session, name: str, *, is_schema: bool = False) -> str:
        """Return `schema` or `schema.object` in lower case for a name in one to three parts.

        Raises:
            StatementError: another catalog is named.
        """
        parts = [unquoted(part).lower() for part in re.findall(_PART, name)]
        most = 2 if is_schema else 3
        if len(parts) == most:
            if parts[0] != self.name:
                text = f"Catalog '{parts[0]}' was not found."
                raise StatementError("NO_SUCH_CATALOG_EXCEPTION", "42704", text)
            parts = parts[1:]
        if not is_schema and len(parts) == 1:
            parts = [session.schema, *parts]
        return ".".join(parts)

    def enter_schema(self, session: Session) -> None:
        """Make the session's schema Spark's current one, as soon as it is there."""
        if self.catalog.has_schema(session.schema):
            session.spark.catalog.setCurrentDatabase(session.schema)
        else:
            session.spark.catalog.setCurrentDatabase("default")

    def require_schema(self, schema: str) -> None:
        """Raise if a schema is not there."""
        if not self.catalog.has_schema(schema):
            text = f"The schema `{self.name}`.`{schema}` cannot be found."
            raise StatementError("SCHEMA_NOT_FOUND", "42704", text)

    def require_relation(self, name: str) -> Relation:
        """Return a table or view, which must be there."""
        relation = self.catalog.relation(*name.split("."))
        if relation is None:
            quoted = ".".join(f"`{part}`" for part in [self.name, *name.split(".")])
            text = f"The table or view {quoted} cannot be found."
            raise StatementError("TABLE_OR_VIEW_NOT_FOUND", "42P01", text)
        return relation

    def securable(self, session: Session, kind: str, name: str) -> tuple[str, str]:
        """Return kind and full name of what is there."""
        kind = {"DATABASE": "SCHEMA", "VIEW": "TABLE"}.get(kind.upper(), kind.upper())
        if kind == "CATALOG":
            if unquoted(name).lower() != self.name:
                text = f"Catalog '{unquoted(name)}' was not found."
                raise StatementError("NO_SUCH_CATALOG_EXCEPTION", "42704", text)
            return kind, self.name
        full = self.full_name(session, name, is_schema=kind == "SCHEMA")
        if kind == "SCHEMA":
            self.require_schema(full)
        elif kind == "VOLUME":
            self.volumes.require(*full.split("."))
        else:
            self.require_relation(full)
        return kind, full

    def forget(self, name: str, *, is_schema: bool) -> None:
        """Forget what belonged to what was dropped."""
        self.governance.forget(name)
        if is_schema:
            self.volumes.drop_schema(name)

    def rows(self, **columns: list[Any]) -> Result:
        """Return a result of a few rows."""
        return Result.of_table(pa.table(columns))

    def texts(self, **columns: list[Any]) -> Result:
        fields = {name: pa.array(values, pa.string()) for name, values in columns.items()}
        return Result.of_table(pa.table(fields))


def like(names: list[str], pattern: str | None) -> list[str]:
    """Keep the names that a pattern of SHOW … LIKE matches: `*` is any text, `|` is or."""
    if pattern is None:
        return names
    parts = (re.escape(part).replace(r"\*", ".*") for part in unquoted(pattern).split("|"))
    wanted = re.compile("|".join(parts), re.IGNORECASE)
    return [name for name in names if wanted.fullmatch(name)]


# --- sessions: sql-ref-syntax-ddl-use-catalog, …-aux-conf-mgmt-set


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


# --- volumes: sql-ref-syntax-ddl-create-volume, …-aux-put-into ----------------------------


@command(r"CREATE VOLUME(?P<if> IF NOT EXISTS)? (?P<name><NAME>)(?: COMMENT (?P<comment><TEXT>))?")
def create_volume(commands: Commands, session: Session, match: Match) -> Result:
    schema, volume = commands.full_name(session, match["name"]).split(".")
    commands.require_schema(schema)
    comment = unquoted(match["comment"]) if match["comment"] else None
    commands.volumes.create(schema, volume, comment, if_missing=bool(match["if"]))
    return Result.empty()


@command(r"DROP VOLUME(?P<if> IF EXISTS)? (?P<name><NAME>)")
def drop_volume(commands: Commands, session: Session, match: Match) -> Result:
    name = commands.full_name(session, match["name"])
    commands.volumes.drop(*name.split("."), if_there=bool(match["if"]))
    commands.governance.forget(name)
    return Result.empty()


@command(r"SHOW VOLUMES(?: (?:IN|FROM) (?P<name><NAME>))?(?: (?:LIKE )?(?P<like><TEXT>))?")
def show_volumes(commands: Commands, session: Session, match: Match) -> Result:
    schema = session.schema
    if match["name"]:
        schema = commands.full_name(session, match["name"], is_schema=True)
    commands.require_schema(schema)
    names = like(commands.volumes.names(schema), match["like"])
    return commands.texts(database=[schema] * len(names), volume_name=names)


@command(r"(?:DESCRIBE|DESC) VOLUME (?P<name><NAME>)")
def describe_volume(commands: Commands, session: Session, match: Match) -> Result:
    schema, volume = commands.full_name(session, match["name"]).split(".")
    commands.volumes.require(schema, volume)
    return commands.texts(
        name=[volume],
        catalog=[commands.name],
        database=[schema],
        owner=[OWNER],
        storage_location=[f"/Volumes/{commands.name}/{schema}/{volume}"],
        volume_type=["MANAGED"],
        comment=[commands.volumes.comment(schema, volume)],
    )


@command(r"PUT (?P<local><TEXT>) INTO (?P<path><TEXT>)(?P<overwrite> OVERWRITE)?")
def put(commands: Commands, session: Session, match: Match) -> Result:
    return _transfer(commands, "PUT", match["path"], match["local"], bool(match["overwrite"]))


@command(r"GET (?P<path><TEXT>) TO (?P<local><TEXT>)")
def get(commands: Commands, session: Session, match: Match) -> Result:
    return _transfer(commands, "GET", match["path"], match["local"])


@command(r"REMOVE (?P<path><TEXT>)")
def remove(commands: Commands, session: Session, match: Match) -> Result:
    return _transfer(commands, "REMOVE", match["path"], None)


def _transfer(
    commands: Commands, operation: str, path: str, local: str | None, overwrite: bool = False
) -> Result:
    secret = commands.volumes.invite(operation, unquoted(path), overwrite=overwrite)
    values = {
        "operation": operation,
        "presignedUrl": f"{commands.base_url}/transfers/{secret}",
        "localFile": unquoted(local) if local else None,
        "headers": "{}",
    }
    columns = {name: pa.array([value], pa.string()) for name, value in values.items()}
    return Result.of_table(pa.table(columns), is_staging=True)


@command(r"LIST (?P<path><TEXT>)")
def list_files(commands: Commands, session: Session, match: Match) -> Result:
    path = unquoted(match["path"]).rstrip("/")
    found = commands.volumes.existing(path)
    files = sorted(found.iterdir()) if found.is_dir() else [found]
    names = [f"{path}/{f.name}" + "/" * f.is_dir() if found.is_dir() else path for f in files]
    sizes = [0 if f.is_dir() else f.stat().st_size for f in files]
    columns = {
        "path": pa.array(names, pa.string()),
        "name": pa.array([f.name + "/" * f.is_dir() for f in files], pa.string()),
        "size": pa.array(sizes, pa.int64()),
        "modification_time": pa.array([int(f.stat().st_mtime * 1000) for f in files], pa.int64()),
    }
    return Result.of_table(pa.table(columns))
