"""Statements that Unity Catalog answers: grants, tags, keys, comments, descriptions, COPY INTO.

The pages named below are those of https://docs.databricks.com/sql/language-manual/
"""

import json
import re
from typing import Final

from tests.databricks.stand_in.catalogs import Relation, column_as_json
from tests.databricks.stand_in.commands import Commands, Match, command
from tests.databricks.stand_in.errors import StatementError, syntax_error
from tests.databricks.stand_in.information_schema import OWNER
from tests.databricks.stand_in.lexing import unquoted
from tests.databricks.stand_in.results import Result
from tests.databricks.stand_in.rewriting import rewrite
from tests.databricks.stand_in.sessions import Session
from tests.databricks.stand_in.spark import SPARK_CATALOG

# sql-ref-privileges
_PRIVILEGES: Final = {
    "CATALOG": {"USE CATALOG", "CREATE SCHEMA", "BROWSE"},
    "SCHEMA": {"USE SCHEMA", "CREATE TABLE", "CREATE VOLUME", "CREATE FUNCTION"},
    "VOLUME": {"READ VOLUME", "WRITE VOLUME"},
    "TABLE": {"SELECT", "MODIFY", "APPLY TAG"},
}
_EVERYWHERE: Final = {"ALL PRIVILEGES", "MANAGE", "APPLY TAG"}
_INHERITED: Final = {"CATALOG": ("SCHEMA", "VOLUME", "TABLE"), "SCHEMA": ("VOLUME", "TABLE")}
_PAIR: Final = re.compile(
    r"\s*(?P<key>'(?:[^'\\]|\\.|'')*')\s*=\s*(?P<value>'(?:[^'\\]|\\.|'')*')\s*(?:,|$)"
)


# --- grants: sql-ref-syntax-security-grant, security-grant, security-show-grant


@command(
    r"(?P<verb>GRANT) (?P<what>[\w ,\s]+?) ON (?:(?P<kind><KIND>) )?(?P<name><NAME>) TO (?P<who><PART>)",
    r"(?P<verb>REVOKE) (?P<what>[\w ,\s]+?) ON (?:(?P<kind><KIND>) )?(?P<name><NAME>) FROM (?P<who><PART>)",
)
def grant(commands: Commands, session: Session, match: Match) -> Result:
    securable = commands.securable(session, match["kind"] or "TABLE", match["name"])
    asked = {" ".join(part.split()).upper() for part in match["what"].split(",")}
    kinds = (securable[0], *_INHERITED.get(securable[0], ()))
    known = _EVERYWHERE.union(*(_PRIVILEGES[kind] for kind in kinds))
    if not asked <= known:
        unknown = ", ".join(sorted(asked - known))
        text = f"Privilege {unknown} is not applicable to {securable[0]} {securable[1]}."
        raise StatementError("PRIVILEGE_NOT_APPLICABLE", "0A000", text)
    granted = commands.governance.grants[securable][unquoted(match["who"])]
    if match["verb"].upper() == "GRANT":
        granted |= asked
    else:
        granted -= asked
    return Result.empty()


@command(r"SHOW GRANTS?(?: (?P<who><PART>))? ON (?:(?P<kind><KIND>) )?(?P<name><NAME>)")
def show_grants(commands: Commands, session: Session, match: Match) -> Result:
    kind, name = commands.securable(session, match["kind"] or "TABLE", match["name"])
    grants = commands.governance.grants.get((kind, name), {})
    who = unquoted(match["who"]) if match["who"] else None
    rows = [
        (principal, privilege)
        for principal, privileges in sorted(grants.items())
        for privilege in sorted(privileges)
        if who in {None, principal}
    ]
    key = name if kind == "CATALOG" else f"{commands.name}.{name}"
    return commands.texts(
        Principal=[principal for principal, _ in rows],
        ActionType=[privilege for _, privilege in rows],
        ObjectType=[kind] * len(rows),
        ObjectKey=[key] * len(rows),
    )


@command(r"ALTER (?P<kind><KIND>) (?P<name><NAME>)(?: SET)? OWNER TO (?P<who><PART>)")
def set_owner(commands: Commands, session: Session, match: Match) -> Result:
    securable = commands.securable(session, match["kind"], match["name"])
    commands.governance.owners[securable] = unquoted(match["who"])
    return Result.empty()


# --- tags: sql-ref-syntax-ddl-alter-table, …-set-tag


@command(
    r"ALTER (?P<kind><KIND>) (?P<name><NAME>) (?P<verb>SET|UNSET) TAGS\s*\((?P<tags>.*)\)",
    r"ALTER (?P<kind>TABLE|VIEW) (?P<name><NAME>) ALTER(?: COLUMN)? (?P<column><PART>) "
    r"(?P<verb>SET|UNSET) TAGS\s*\((?P<tags>.*)\)",
)
def set_tags(commands: Commands, session: Session, match: Match) -> Result:
    securable = commands.securable(session, match["kind"], match["name"])
    if (column := match.groupdict().get("column")) is not None:
        _require_column(commands.require_relation(securable[1]), unquoted(column))
        securable = ("COLUMN", f"{securable[1]}.{unquoted(column)}")
    tags = commands.governance.tags[securable]
    if match["verb"].upper() == "SET":
        tags |= pairs(match["tags"])
    else:
        for tag in re.split(r"\s*,\s*", match["tags"].strip()):
            tags.pop(unquoted(tag), None)
    return Result.empty()


def pairs(text: str) -> dict[str, str]:
    """Read `'key' = 'value', …`."""
    found, position = {}, 0
    text = text.strip()
    while position < len(text):
        match = _PAIR.match(text, position)
        if match is None:
            raise syntax_error(text)
        found[unquoted(match["key"])] = unquoted(match["value"])
        position = match.end()
    return found


def _require_column(relation: Relation, column: str) -> None:
    if column.lower() not in {name.lower() for name in relation.columns.names}:
        text = f"A column with name `{column}` cannot be resolved in {relation.full_name}."
        raise StatementError("UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", text)


# --- keys inform only: sql-ref-syntax-ddl-alter-table-add-constraint, …-drop-constraint


@command(
    r"ALTER TABLE (?P<name><NAME>) ADD (?:CONSTRAINT (?P<key><PART>) )?"
    r"(?P<body>(?:PRIMARY|FOREIGN) KEY\s*\(.*\).*)"
)
def add_key(commands: Commands, session: Session, match: Match) -> Result:
    key = unquoted(match["key"] or "")
    note_key(commands, session, match["name"], key, match["body"])
    return Result.empty()


def note_key(commands: Commands, session: Session, table: str, key: str, body: str) -> None:
    """Keep the definition of a primary or foreign key."""
    full = commands.full_name(session, table)
    relation = commands.require_relation(full)
    columns, reference = _key_parts(body)
    for column in columns:
        _require_column(relation, column)
    definition = f"{' '.join(body.split()[:2]).upper()} ({_quoted(columns)})"
    if reference is not None:
        target = commands.full_name(session, reference[0])
        commands.require_relation(target)
        place = ".".join(f"`{part}`" for part in [commands.name, *target.split(".")])
        definition += f" REFERENCES {place} ({_quoted(reference[1] or columns)})"
    name = key or f"{relation.name}_{'fk' if reference else 'pk'}"
    commands.governance.keys[full][name] = definition


_KEY_BODY: Final = re.compile(
    r"(?:PRIMARY|FOREIGN)\s+KEY\s*\((?P<columns>[^)]*)\)"
    r"(?:\s*REFERENCES\s+(?P<table>[^\s(]+)\s*(?:\((?P<targets>[^)]*)\))?)?"
    r"(?P<options>(?:\s+(?:NOT\s+ENFORCED|DEFERRABLE|INITIALLY\s+DEFERRED|NORELY|RELY"
    r"|MATCH\s+FULL|ON\s+(?:UPDATE|DELETE)\s+NO\s+ACTION))*)\s*",
    re.IGNORECASE | re.DOTALL,
)


def _key_parts(body: str) -> tuple[list[str], tuple[str, list[str]] | None]:
    match = _KEY_BODY.fullmatch(body.strip())
    if match is None:
        raise syntax_error(body)
    reference = (match["table"], _columns(match["targets"] or "")) if match["table"] else None
    if (reference is None) != body.strip().upper().startswith("PRIMARY"):
        raise syntax_error(body)
    return _columns(match["columns"]), reference


def _columns(text: str) -> list[str]:
    return [unquoted(part.split()[0]) for part in text.split(",") if part.strip()]


def _quoted(columns: list[str]) -> str:
    return ", ".join(f"`{column}`" for column in columns)


@command(
    r"ALTER TABLE (?P<name><NAME>) DROP PRIMARY KEY(?P<if> IF EXISTS)?(?: CASCADE| RESTRICT)?",
    r"ALTER TABLE (?P<name><NAME>) DROP CONSTRAINT(?P<if> IF EXISTS)? (?P<key><PART>)"
    r"(?: CASCADE| RESTRICT)?",
)
def drop_constraint(commands: Commands, session: Session, match: Match) -> Result:
    full = commands.full_name(session, match["name"])
    commands.require_relation(full)
    keys = commands.governance.keys[full]
    key = unquoted(match.groupdict().get("key") or "") or _primary(keys)
    if key in keys:
        del keys[key]
        return Result.empty()
    if not key and match["if"]:
        return Result.empty()
    # A CHECK constraint is Delta's own.
    return _spark(commands, session, match.string)


def _primary(keys: dict[str, str]) -> str:
    return next((name for name, body in keys.items() if body.startswith("PRIMARY")), "")


# --- comments: sql-ref-syntax-ddl-comment


@command(r"COMMENT ON COLUMN (?P<name><COLUMN_NAME>) IS (?P<comment><TEXT>|NULL)")
def comment_on_column(commands: Commands, session: Session, match: Match) -> Result:
    return _spark(commands, session, column_comment(match["name"], match["comment"]))


def column_comment(name: str, comment: str) -> str:
    """Return the statement by which Spark comments a column."""
    table, column = re.fullmatch(r"(.*)\.\s*(`(?:[^`]|``)+`|\w+)", name, re.DOTALL).groups()  # type: ignore[union-attr]
    text = "''" if comment.upper() == "NULL" else comment
    return f"ALTER TABLE {table.strip()} ALTER COLUMN {column} COMMENT {text}"


@command(r"COMMENT ON VOLUME (?P<name><NAME>) IS (?P<comment><TEXT>|NULL)")
def comment_on_volume(commands: Commands, session: Session, match: Match) -> Result:
    schema, volume = commands.securable(session, "VOLUME", match["name"])[1].split(".")
    text = None if match["comment"].upper() == "NULL" else unquoted(match["comment"])
    commands.volumes.create(schema, volume, text, if_missing=True)
    return Result.empty()


# --- DESCRIBE TABLE … AS JSON, which Spark 4.2 has for views only: …-aux-describe-table


@command(r"(?:DESCRIBE|DESC)(?: TABLE)? EXTENDED (?P<name><NAME>) AS JSON")
def describe_as_json(commands: Commands, session: Session, match: Match) -> Result:
    temporary = _temporary_view(commands, session, unquoted(match["name"]))
    if temporary is not None:
        return commands.texts(json_metadata=[json.dumps(temporary)])
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


def _temporary_view(commands: Commands, session: Session, name: str) -> dict[str, object] | None:
    """Describe a temporary view of the session, if there is one of that name."""
    catalog = session.spark._jsparkSession.sessionState().catalog()
    if not catalog.getTempView(name).isDefined():
        return None
    columns = session.spark.table(f"`{name}`").schema.fields
    return {
        "table_name": name,
        "columns": [column_as_json(field) for field in columns],
        "owner": OWNER,
        "type": "VIEW",
    }


# --- statistics: sql-ref-syntax-aux-analyze-table. Delta keeps its own here.


@command(r"ANALYZE TABLE (?P<name><NAME>) COMPUTE (?:DELTA )?STATISTICS(?: .*)?")
def analyze(commands: Commands, session: Session, match: Match) -> Result:
    commands.require_relation(commands.full_name(session, match["name"]))
    return Result.empty()


def _spark(commands: Commands, session: Session, statement: str) -> Result:
    """Run a statement on Spark."""
    commands.enter_schema(session)
    return Result.of_frame(session.spark.sql(rewrite(statement, commands.name).text))
