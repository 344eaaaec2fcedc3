"""Rewrites a statement for Unity Catalog into one for Spark; whatever needs none is left alone.

Each rewrite follows a page of the SQL language reference, https://docs.databricks.com/sql/language-manual/
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from databricks_stand_in.errors import no_such_catalog, syntax_error
from databricks_stand_in.lexing import Token, tokens_of, unquoted
from databricks_stand_in.spark import SPARK_CATALOG

# Prefix of the temporary views that stand for the information schema.
INFORMATION_SCHEMA: Final = "information_schema__"

# A name that follows one of these is a table, a view or a volume.
_RELATION_FOLLOWS: Final = frozenset(
    {"FROM", "JOIN", "INTO", "TABLE", "UPDATE", "VIEW", "OVERWRITE"}
)
_SCHEMA_FOLLOWS: Final = frozenset(
    {"SCHEMA", "DATABASE", "SCHEMAS", "DATABASES", "USE", "NAMESPACE"}
)
_FILLERS: Final = frozenset({"IF", "NOT", "EXISTS", "EXTENDED", "ONLY", "LATERAL"})
_FILE_FORMATS: Final = frozenset({"parquet", "csv", "json", "text", "binaryfile", "delta", "orc"})


@dataclass
class Rewritten:
    """A statement for Spark.

    Attributes:
        text: the statement.
        information_schema: views of the information schema that it reads.
        keys: constraints that inform only and that Spark does not take: name and definition.
    """

    text: str
    information_schema: set[str] = field(default_factory=set)
    keys: list[tuple[str, str]] = field(default_factory=list)


def rewrite(statement: str, catalog: str) -> Rewritten:
    """Rewrite a statement without comments.

    Args:
        statement: as the client sent it, comments taken out.
        catalog: the only Unity catalog there is.

    Raises:
        StatementError: another catalog is named, or a part is malformed.
    """
    result = Rewritten(statement)
    if re.match(r"CREATE\s+(OR\s+REPLACE\s+)?TABLE\b", statement, re.IGNORECASE):
        result.text = _take_keys_out(statement, result.keys)
    result.text = _read_files_as_relations(result.text)
    result.text = "".join(_with_names(tokens_of(result.text), catalog, result.information_schema))
    return result


def _with_names(tokens: list[Token], catalog: str, views: set[str]) -> Iterator[str]:
    """Name what Unity Catalog names in three parts as Spark does."""
    before: list[str] = []
    position = 0
    while position < len(tokens):
        token = tokens[position]
        parts, end = _chain(tokens, position)
        if len(parts) > 1:
            yield _renamed(parts, before, catalog, views)
            before.append("a name")
        elif _is_call(tokens, position, "current_catalog"):
            yield f"'{catalog}'"
            end = position + 1 + len(_following(tokens, position, 2))
        else:
            yield "".join(piece.text for piece in tokens[position:end])
            if token.kind not in {"space", "hint"}:
                before.append(token.text.upper())
        position = end


def _chain(tokens: list[Token], start: int) -> tuple[list[Token], int]:
    """Return the parts of a dotted name that starts here, and where it ends."""
    if tokens[start].name is None:
        return [], start + 1
    parts, end = [tokens[start]], start + 1
    while end + 1 < len(tokens) and tokens[end].text == "." and tokens[end + 1].name is not None:
        parts.append(tokens[end + 1])
        end += 2
    return parts, end


def _renamed(parts: list[Token], before: list[str], catalog: str, views: set[str]) -> str:
    names = [str(part.name).lower() for part in parts]
    texts = [part.text for part in parts]
    keyword = next((word for word in reversed(before) if word not in _FILLERS), "")
    is_relation = keyword in _RELATION_FOLLOWS or (keyword == "," and "FROM" in before)
    if names[-2] == "information_schema" and names[0] in {"system", catalog, names[-2]}:
        views.add(names[-1])
        return INFORMATION_SCHEMA + names[-1]
    if len(parts) >= 3 and names[0] == catalog:
        kept = texts[1:]
        return ".".join(kept if before[-2:] == ["RENAME", "TO"] else [SPARK_CATALOG, *kept])
    if len(parts) == 2 and names[0] == catalog and _names_a_schema(before, keyword):
        return f"{SPARK_CATALOG}.{texts[1]}"
    if is_relation and len(parts) == 3 and names[0] != "system":
        raise no_such_catalog(str(parts[0].name))
    return ".".join(texts)


def _names_a_schema(before: list[str], keyword: str) -> bool:
    shows = before[:1] == ["SHOW"] and keyword in {"IN", "FROM"}
    return keyword in _SCHEMA_FOLLOWS or shows


def _following(tokens: list[Token], start: int, signs: int) -> list[Token]:
    """Return the tokens after a position that hold a number of signs, spaces between included."""
    found: list[Token] = []
    for token in tokens[start + 1 :]:
        found.append(token)
        signs -= token.kind != "space"
        if not signs:
            break
    return found


def _is_call(tokens: list[Token], start: int, function: str) -> bool:
    if (tokens[start].name or "").lower() != function or tokens[start].kind != "word":
        return False
    return "".join(t.text for t in _following(tokens, start, 2) if t.kind != "space") == "()"


# --- read_files(path, option => value, …): functions/read_files ------------------------------

_READ_FILES: Final = re.compile(
    r"\bread_files\s*\((?P<arguments>(?:[^()'\"`]|'(?:[^'\\]|\\.|'')*'|\"[^\"]*\"|`[^`]*`)*)\)",
    re.IGNORECASE,
)
_ARGUMENT: Final = re.compile(
    r"\s*(?:(?P<key>\w+|`[^`]+`)\s*=>\s*)?(?P<value>'(?:[^'\\]|\\.|'')*'|\"[^\"]*\"|[\w.]+)\s*"
)


def _read_files_as_relations(statement: str) -> str:
    return _READ_FILES.sub(lambda m: _relation_of(m["arguments"], statement), statement)


def _relation_of(arguments: str, statement: str) -> str:
    path, options = _arguments(arguments, statement)
    file_format = options.pop("format", "").lower()
    if file_format not in _FILE_FORMATS or "schemahints" in {key.lower() for key in options}:
        raise syntax_error(f"read_files needs a format out of {sorted(_FILE_FORMATS)}: {statement}")
    # Both say how new columns are treated, of which a stored file has none.
    rescues = options.pop("schemaEvolutionMode", "").lower() != "none"
    # It looks into folders of folders, which Spark does only when told to.
    options = {"recursiveFileLookup": "true"} | options
    given = ", ".join(f"'{key}' = '{value}'" for key, value in options.items())
    relation = f"{file_format}.`{path}` WITH ({given})"
    if rescues and file_format in {"parquet", "csv", "json"}:
        relation = f"SELECT *, CAST(NULL AS STRING) AS _rescued_data FROM {relation}"
        return f"({relation})"
    return relation


def _arguments(arguments: str, statement: str) -> tuple[str, dict[str, str]]:
    path, options, position = "", {}, 0
    while position < len(arguments.rstrip()):
        match = _ARGUMENT.match(arguments, position)
        if match is None or arguments[match.end() : match.end() + 1] not in {",", ""}:
            raise syntax_error(statement)
        if match["key"]:
            options[unquoted(match["key"])] = unquoted(match["value"])
        else:
            path = unquoted(match["value"])
        position = match.end() + 1
    if not path:
        raise syntax_error(statement)
    return path, options


# --- PRIMARY KEY and FOREIGN KEY inform only: sql-ref-syntax-ddl-create-table-constraint ------

_KEY: Final = re.compile(
    r"^\s*(?:CONSTRAINT\s+(?P<name>\w+|`[^`]+`)\s+)?(?P<body>(?:PRIMARY|FOREIGN)\s+KEY\b.*)$",
    re.IGNORECASE | re.DOTALL,
)


def _take_keys_out(statement: str, keys: list[tuple[str, str]]) -> str:
    """Take keys out of the list of columns; they are kept in a register."""
    tokens = tokens_of(statement)
    start = _first_parenthesis(tokens)
    if start is None:
        return statement
    entries, end = _entries(tokens, start)
    kept = []
    for entry in entries:
        match = _KEY.match(entry)
        if match is None:
            kept.append(entry)
        else:
            keys.append((unquoted(match["name"] or ""), match["body"].strip()))
    if len(kept) == len(entries):
        return statement
    head = "".join(token.text for token in tokens[: start + 1])
    return head + ",".join(kept) + "".join(token.text for token in tokens[end:])


def _first_parenthesis(tokens: list[Token]) -> int | None:
    """Return where the list of columns starts, if there is one before USING, AS and the like."""
    for position, token in enumerate(tokens):
        if token.text == "(":
            return position
        if token.text.upper() in {"AS", "USING", "CLUSTER", "COMMENT", "TBLPROPERTIES", "LIKE"}:
            return None
    return None


def _entries(tokens: list[Token], start: int) -> tuple[list[str], int]:
    """Return what the commas of a parenthesis part, and where the parenthesis ends."""
    entries, depth = [""], 0
    for position in range(start, len(tokens)):
        text = tokens[position].text
        depth += {"(": 1, ")": -1, "<": 1, ">": -1}.get(text, 0)
        if depth == 0:
            return entries, position
        if depth == 1 and text == ",":
            entries.append("")
        elif position > start:
            entries[-1] += text
    raise syntax_error("".join(token.text for token in tokens))
