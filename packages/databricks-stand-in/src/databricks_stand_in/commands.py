"""Commands: statements that are answered here, with the names and registers that answers share."""

import re
from collections.abc import Callable
from typing import Any, Final

import pyarrow as pa

from databricks_stand_in.catalogs import Catalog, Relation
from databricks_stand_in.errors import StatementError, no_such_catalog
from databricks_stand_in.lexing import NAME, PART, unquoted
from databricks_stand_in.registers import Governance
from databricks_stand_in.results import Result
from databricks_stand_in.rewriting import rewrite
from databricks_stand_in.sessions import Session
from databricks_stand_in.volumes import Volumes

Match = re.Match[str]
Command = Callable[["Commands", Session, Match], Result]
COMMANDS: Final[list[tuple[re.Pattern[str], Command]]] = []

_PIECES: Final = {
    "NAME": NAME,
    "COLUMN_NAME": rf"{PART}(?:\s*\.\s*{PART}){{1,3}}",
    "PART": PART,
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
        parts = [unquoted(part).lower() for part in re.findall(PART, name)]
        most = 2 if is_schema else 3
        if len(parts) == most:
            if parts[0] != self.name:
                raise no_such_catalog(parts[0])
            parts = parts[1:]
        if not is_schema and len(parts) == 1:
            parts = [session.schema, *parts]
        return ".".join(parts)

    def is_temporary(self, session: Session, name: str) -> bool:
        """Say whether a name is that of a temporary view of the session."""
        identifiers = session.spark._jvm.org.apache.spark.sql.catalyst.TableIdentifier
        parts = [unquoted(part) for part in re.findall(PART, name)]
        catalog = session.spark._jsparkSession.sessionState().catalog()
        return len(parts) == 1 and bool(catalog.isTempView(identifiers(parts[0])))

    def enter_schema(self, session: Session) -> None:
        """Make the session's schema Spark's current one, as soon as it is there."""
        if self.catalog.has_schema(session.schema):
            session.spark.catalog.setCurrentDatabase(f"`{session.schema}`")
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

    def run_in_spark(self, session: Session, statement: str) -> Result:
        """Run a statement on Spark."""
        self.enter_schema(session)
        return Result.of_frame(session.spark.sql(rewrite(statement, self.name).text))

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

    def schema_of(self, session: Session, name: str | None) -> str:
        """Return the schema that a statement names, or the current one; it must be there."""
        schema = self.full_name(session, name, is_schema=True) if name else session.schema
        self.require_schema(schema)
        return schema

    def rows(self, **columns: list[Any]) -> Result:
        """Return a result of a few rows."""
        return Result.of_table(pa.table(columns))

    def texts(self, **columns: list[Any]) -> Result:
        """Return a result whose columns are all text."""
        fields = {name: pa.array(values, pa.string()) for name, values in columns.items()}
        return Result.of_table(pa.table(fields))


def require_column(relation: Relation, column: str) -> str:
    """Return a column's name as the table has it; it must be there."""
    names: dict[str, str] = {name.lower(): name for name in relation.columns.names}
    if column.lower() not in names:
        text = f"A column with name `{column}` cannot be resolved in {relation.full_name}."
        raise StatementError("UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", text)
    return names[column.lower()]


def like(names: list[str], pattern: str | None) -> list[str]:
    """Keep the names that a pattern of SHOW … LIKE matches: `*` is any text, `|` is or."""
    if pattern is None:
        return names
    parts = (re.escape(part).replace(r"\*", ".*") for part in unquoted(pattern).split("|"))
    wanted = re.compile("|".join(parts), re.IGNORECASE)
    return [name for name in names if wanted.fullmatch(name)]
