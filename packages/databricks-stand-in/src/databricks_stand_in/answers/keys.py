"""Primary and foreign keys, which inform only.

https://docs.databricks.com/sql/language-manual/sql-ref-syntax-ddl-alter-table-add-constraint.html
"""

import re
from typing import Final

from databricks_stand_in.commands import Commands, Match, command, require_column
from databricks_stand_in.errors import syntax_error
from databricks_stand_in.lexing import unquoted
from databricks_stand_in.results import Result
from databricks_stand_in.sessions import Session


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
        require_column(relation, column)
    kind = "PRIMARY" if reference is None else "FOREIGN"
    definition = f"{kind} KEY ({_quoted(columns)})"
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
    return commands.run_in_spark(session, match.string)


def _primary(keys: dict[str, str]) -> str:
    return next((name for name, body in keys.items() if body.startswith("PRIMARY")), "")
