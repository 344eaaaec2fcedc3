"""Changed copies of the dbt project, of which only the changes are parsed."""

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from lending_club_pipeline.config.environment import sheltered
from lending_club_pipeline.contract.seeds import project_dir
from lending_club_pipeline.dbt_runner import manifest
from lending_club_pipeline.defs.dbt import specs
from tests.commands import PROCESSES
from tests.workspaces import Workspace


def copy_project(to: Path) -> Path:
    """Copy the dbt project into a folder, and return it."""
    ignored = shutil.ignore_patterns("target", "logs", "dbt_packages")
    return Path(shutil.copytree(project_dir(), to, ignore=ignored))


def parse_only_changes(parsed: Workspace, patch: pytest.MonkeyPatch) -> None:
    """Let copies of the project be parsed from what dbt keeps of a workspace's project.

    A copy is parsed in a process that has imported dbt, and only as far as it differs, which
    takes a tenth of the time. A seed that changes after that is read from the project itself.
    """
    (kept,) = parsed.settings().dbt_cache.glob("*/partial_parse.msgpack")
    patch.setattr(manifest, "parse_in_subprocess", _parser(kept, parsed.database))
    patch.setattr(specs, "call_in_subprocess", _translate)


def _parser(kept: Path, database: Path) -> Callable[[Sequence[str], Mapping[str, str]], str | None]:
    def parse(arguments: Sequence[str], environment: Mapping[str, str]) -> str | None:
        arguments = ("parse", *arguments, "--partial-parse-file-path", str(kept))
        # dbt parses everything if it is to connect to another database. No node names its path.
        variables = sheltered({**environment, "DUCKDB_PATH": str(database)})
        return DbtProcess(arguments, variables).problem()

    return parse


class DbtProcess:
    """dbt in a process of its own, forked from one that has imported it."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        self._receiver, sender = PROCESSES.Pipe(duplex=False)
        self._process = PROCESSES.Process(target=_invoke, args=(arguments, environment, sender))
        self._process.start()
        sender.close()

    def problem(self) -> str | None:
        """Wait until dbt has ended, and return what went wrong."""
        said: str | None = self._receiver.recv()
        self._process.join()
        return said


def _invoke(arguments: Sequence[str], environment: Mapping[str, str], sender: Any) -> None:
    os.environ.clear()
    os.environ.update(environment)
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - it is preloaded

    ended = dbtRunner().invoke([*arguments])
    failed = [str(it.message) for it in getattr(ended.result, "results", ()) if it.message]
    sender.send(None if ended.success else str(ended.exception or failed))


def _translate(_: str, given: Mapping[str, Any]) -> Any:
    return specs.translated(json.loads(Path(given["manifest"]).read_bytes()))
