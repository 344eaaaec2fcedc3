"""Privileges: recorded and told, and nothing follows from them.

https://docs.databricks.com/sql/language-manual/security-grant.html
https://docs.databricks.com/sql/language-manual/sql-ref-privileges.html
"""

from typing import Final

from databricks_stand_in.commands import Commands, Match, command
from databricks_stand_in.errors import StatementError
from databricks_stand_in.lexing import unquoted
from databricks_stand_in.results import Result
from databricks_stand_in.sessions import Session

_PRIVILEGES: Final = {
    "CATALOG": {"USE CATALOG", "CREATE SCHEMA", "BROWSE"},
    "SCHEMA": {"USE SCHEMA", "CREATE TABLE", "CREATE VOLUME", "CREATE FUNCTION"},
    "VOLUME": {"READ VOLUME", "WRITE VOLUME"},
    "TABLE": {"SELECT", "MODIFY", "APPLY TAG"},
}
_EVERYWHERE: Final = {"ALL PRIVILEGES", "MANAGE", "APPLY TAG"}
_INHERITED: Final = {"CATALOG": ("SCHEMA", "VOLUME", "TABLE"), "SCHEMA": ("VOLUME", "TABLE")}


@command(
    r"(?P<verb>GRANT) (?P<what>[\w,\s]+?) ON (?:(?P<kind><KIND>) )?(?P<name><NAME>)"
    r" TO (?P<who><PART>)",
    r"(?P<verb>REVOKE) (?P<what>[\w,\s]+?) ON (?:(?P<kind><KIND>) )?(?P<name><NAME>)"
    r" FROM (?P<who><PART>)",
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
