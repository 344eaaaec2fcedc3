"""The parsed dbt project, prepared once and reused until the project changes."""

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from lending_club_pipeline.contract.errors import TransformationError
from lending_club_pipeline.contract.seeds import project_dir
from lending_club_pipeline.dbt_runner.project import fingerprint
from lending_club_pipeline.dbt_runner.subprocesses import run_in_subprocess
from lending_club_pipeline.files.atomic import replacing
from lending_club_pipeline.files.io_errors import explaining, full, is_full

# Variables that names, grants and kinds of relations depend on, with the project's defaults; no
# other variable reaches the manifest.
_NAMING_VARIABLES: Final = {
    "DBT_TARGET": "",
    "DATABRICKS_CATALOG": "",
    "DATABRICKS_SCHEMA": "",
    "DATABRICKS_READERS": "",
    "DBT_INTERMEDIATE_AS": "ephemeral",
}


@dataclass(frozen=True)
class PreparedManifest:
    """A parsed dbt project on disk.

    Attributes:
        project: folder of the dbt project.
        folder: folder of the prepared files.
    """

    project: Path
    folder: Path

    @cached_property
    def content(self) -> dict[str, Any]:
        """The manifest as dbt documents it (`manifest.json`)."""
        content: dict[str, Any] = json.loads(self.manifest.read_bytes())
        return content

    @property
    def manifest(self) -> Path:
        """The file of the manifest."""
        return self.folder / "manifest.json"

    def cached(self, name: str, make: Callable[[], Any]) -> Any:  # noqa: ANN401 - JSON
        """Return a JSON value that depends only on the project; it is made once per project.

        Args:
            name: name of the value.
            make: makes the value; called only if it was never made for this project.
        """
        path = self.folder / f"{name}.json"
        if not path.exists():
            with replacing(path, "DAGSTER_HOME") as work:
                work.write_text(json.dumps(make()))
        return json.loads(path.read_bytes())

    @property
    def serialised(self) -> Path:
        """The manifest in dbt's own binary form, which loads without parsing."""
        return self.folder / "partial_parse.msgpack"


def prepare_manifest(environment: Mapping[str, str], cache: Path) -> PreparedManifest:
    """Return the parsed project, parsing it only if it changed since it was last prepared.

    Args:
        environment: variables with which dbt finds the warehouse.
        cache: folder in which prepared projects are kept.

    Raises:
        TransformationError: dbt cannot parse the project.
        OutputError: the cache cannot be written, or its disk is full.
    """
    project = project_dir()
    naming = {name: environment.get(name) or default for name, default in _NAMING_VARIABLES.items()}
    naming["database"] = Path(environment.get("DUCKDB_PATH", "")).stem
    folder = cache / fingerprint(project, naming)
    if not (folder / "manifest.json").exists():
        with explaining(cache, "DAGSTER_HOME"):
            _prepare(project, folder, environment)
    return PreparedManifest(project, folder)


def _prepare(project: Path, folder: Path, environment: Mapping[str, str]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".preparing-", dir=folder.parent))
    try:
        problem = parse_in_subprocess(project_arguments(project, work), environment)
        if problem is not None and is_full(TransformationError(problem)):
            raise full(folder.parent)
        if problem is not None:
            raise TransformationError(_parse_failure(problem))
        shutil.rmtree(work / "logs", ignore_errors=True)
        for name in ("run_results.json", "perf_info.json", "semantic_manifest.json"):
            (work / name).unlink(missing_ok=True)
        # Another process may have prepared the same project meanwhile: use its files.
        if not folder.exists():
            work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _parse_failure(problem: str) -> str:
    message = " ".join(problem.split())
    return f"dbt cannot read its project: {message}. Correct the file that it names and run again."


def project_arguments(project: Path, target: Path) -> list[str]:
    """Return the dbt arguments that every invocation has in common."""
    return [
        "--project-dir", str(project),
        "--profiles-dir", str(project),
        "--target-path", str(target),
        # By default dbt writes into the project's folder, which the user may not change.
        "--log-path", str(target / "logs"),
        "--log-level", "none",
        "--log-level-file", "none",
        "--no-use-colors",
        "--no-send-anonymous-usage-stats",
        "--no-version-check",
    ]  # fmt: skip


def parse_in_subprocess(arguments: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """Run `dbt parse` in a subprocess, whose memory is freed when it ends.

    dbt keeps a hundred megabytes that a run does not need; the parsed project is on the disk.

    Args:
        arguments: options of dbt.
        environment: its variables beside those of the machine.

    Returns:
        The error message, or None.
    """
    done = run_in_subprocess(__name__, arguments, environment=environment)
    if done.returncode == 0:
        return None
    return done.stderr.strip() or f"dbt ended with {done.returncode}"


def _main(arguments: list[str]) -> int:
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - only in the process that parses

    result = dbtRunner().invoke(["parse", *arguments])
    if result.success:
        return 0
    sys.stderr.write(str(result.exception or "no reason given"))
    return 1


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
