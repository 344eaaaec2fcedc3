"""COPY INTO: loads files of a volume, each of them once.

https://docs.databricks.com/sql/language-manual/delta-copy-into.html
"""

import re
from pathlib import Path
from typing import Final

from databricks_stand_in.commands import Commands, Match, command
from databricks_stand_in.errors import StatementError, syntax_error
from databricks_stand_in.lexing import pairs, unquoted
from databricks_stand_in.results import Result
from databricks_stand_in.rewriting import rewrite
from databricks_stand_in.sessions import Session

_FORMATS: Final = frozenset({"PARQUET", "CSV", "JSON"})
_SELECTION: Final = re.compile(
    r"\(\s*SELECT\s+(.*)\s+FROM\s+('[^']*')\s*\)", re.IGNORECASE | re.DOTALL
)
_COPY_OPTIONS: Final = frozenset({"force", "mergeschema"})


@command(
    r"COPY INTO (?P<name><NAME>)(?: BY POSITION)? FROM (?P<source><TEXT>|\(.*\)) "
    r"FILEFORMAT\s*=\s*(?P<format>\w+)(?: FILES\s*=\s*\((?P<files>[^)]*)\))?"
    r"(?: PATTERN\s*=\s*(?P<pattern><TEXT>))?"
    r"(?: FORMAT_OPTIONS\s*\((?P<options>[^)]*)\))?(?: COPY_OPTIONS\s*\((?P<copy>[^)]*)\))?"
)
def copy_into(commands: Commands, session: Session, match: Match) -> Result:
    """Load the files that were not loaded before."""
    table = commands.full_name(session, match["name"])
    commands.require_relation(table)
    options = {key.lower(): value for key, value in pairs(match["copy"] or "").items()}
    if match["format"].upper() not in _FORMATS or not options.keys() <= _COPY_OPTIONS:
        raise syntax_error(match.string)
    if options.get("mergeschema", "false").lower() == "true":
        text = "COPY INTO with mergeSchema is not served."
        raise StatementError("UNSUPPORTED_FEATURE.STAND_IN", "0A000", text)
    select, source = _source(match)
    files = _files(commands, match, source)
    loaded = commands.governance.loaded_files[table]
    if options.get("force", "false").lower() != "true":
        files = [file for file in files if _identity(file) not in loaded]
    rows = _insert(commands, session, match, select, source, files) if files else 0
    loaded.update(_identity(file) for file in files)
    counts = {"num_affected_rows": [rows], "num_inserted_rows": [rows]}
    return commands.rows(**counts, num_skipped_corrupt_files=[0])


def _identity(file: Path) -> tuple[str, int]:
    return str(file), file.stat().st_mtime_ns


def _source(match: Match) -> tuple[str, str]:
    """Return the list of what is selected, and the path."""
    text = match["source"]
    if not text.startswith("("):
        return "*", unquoted(text)
    inner = _SELECTION.fullmatch(text)
    if inner is None:
        raise syntax_error(match.string)
    return inner[1], unquoted(inner[2])


def _files(commands: Commands, match: Match, source: str) -> list[Path]:
    found = commands.volumes.existing(source)
    if match["files"]:
        names = [unquoted(name.strip()) for name in match["files"].split(",")]
        return [commands.volumes.existing(f"{source.rstrip('/')}/{name}") for name in names]
    files = sorted(f for f in found.rglob("*") if f.is_file()) if found.is_dir() else [found]
    if match["pattern"]:
        files = [f for f in files if f.relative_to(found).match(unquoted(match["pattern"]))]
    return [file for file in files if not file.name.startswith((".", "_"))]


def _insert(
    commands: Commands,
    session: Session,
    match: Match,
    select: str,
    source: str,
    files: list[Path],
) -> int:
    """Append the rows in one commit and return how many they are."""
    reader = session.spark.read.format(match["format"].lower())
    options = pairs(match["options"] or "")
    root = commands.volumes.existing(source)
    base = source.removeprefix("dbfs:").rstrip("/")
    paths = [f"{base}/{f.relative_to(root).as_posix()}" if f != root else base for f in files]
    view = f"copied_{abs(hash((session.guid, source)))}"
    reader.options(**options).load(paths).createOrReplaceTempView(view)
    try:
        commands.enter_schema(session)
        by = "" if " BY POSITION" in match.string.upper() else " BY NAME"
        insert = f"INSERT INTO {match['name']}{by} SELECT {select} FROM {view}"
        session.spark.sql(rewrite(insert, commands.name).text)
    finally:
        session.spark.catalog.dropTempView(view)
    relation = commands.require_relation(commands.full_name(session, match["name"]))
    return relation.rows_inserted()
