"""Lint the models as both engines see them: `python -m tests.lint_sql`.

Style is examined in the first dialect alone, whose pass takes twice as long for it.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

DIALECTS = ("duckdb", "databricks")
ROOT = Path(__file__).parents[1]


def lint(dialect: str) -> int:
    """Lint in this process, which may do this once: dbt keeps the engine it began with."""
    from dbt.adapters.base.impl import BaseAdapter  # noqa: PLC0415 - takes a second to import
    from sqlfluff.cli.commands import cli  # noqa: PLC0415 - as above

    # sqlfluff has dbt ask the database what exists. There is none, and so nothing.
    BaseAdapter.set_relations_cache = lambda *_, **__: None
    BaseAdapter.get_relation = lambda *_, **__: None
    command = ["lint", "dbt/models", "--dialect", dialect, "--quiet", "--disable-progress-bar"]
    if dialect != DIALECTS[0]:
        # It must be SQL of this dialect, with its keywords; all else is that of the same source.
        command += ["--rules", "references.keywords,capitalisation"]
    result: int = cli(command, standalone_mode=False)
    return result


def start(dialect: str, target: Path) -> subprocess.Popen[bytes]:
    """Lint in a process of its own; no variable of the shell decides what it sees."""
    kept = {name: it for name, it in os.environ.items() if not name.startswith(("DBT_", "DATA"))}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.lint_sql", dialect],
        env={**kept, "DBT_TARGET": dialect, "DBT_TARGET_PATH": str(target / dialect)},
        cwd=ROOT,
    )


def main() -> int:
    """Lint in both dialects at the same time; return 0 if both are clean."""
    with tempfile.TemporaryDirectory(prefix="lint-") as folder:
        processes = [start(dialect, Path(folder)) for dialect in DIALECTS]
        return max(process.wait() for process in processes)


if __name__ == "__main__":
    sys.exit(lint(sys.argv[1]) if len(sys.argv) > 1 else main())
