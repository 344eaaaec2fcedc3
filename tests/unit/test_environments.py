"""No option of dbt reaches the embedded dbt, whatever the environment says."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click
import pytest
from dbt.cli import main as dbt_cli
from dbt.cli.flags import Flags, args_to_context
from dbt.env_vars import KNOWN_ENGINE_ENV_VARS

from lending_club_pipeline.config.environment import (
    forget_settings_of_dagster,
    sheltered,
    sheltering,
)
from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.seeds import project_dir
from lending_club_pipeline.dbt_runner.invocation import build_arguments
from lending_club_pipeline.dbt_runner.manifest import project_arguments
from lending_club_pipeline.dbt_runner.subprocesses import run_in_subprocess

OURS: Final = {"DBT_TARGET": "duckdb", "DUCKDB_PATH": "own.duckdb"}
# Read by dbt and its adapters elsewhere than where options are read.
UNLISTED: Final = (
    *("DBT_CLOUD_PROJECT_ID", "DBT_RECORDER_MODE", "DBT_RECORDER_FILE_PATH", "DBT_HTTP_TIMEOUT"),
    *("DBT_DOWNLOADS_DIR", "DBT_DATABRICKS_INVOCATION_ENV", "DBT_DATABRICKS_HTTP_SESSION_HEADERS"),
    *("DBT_DESCRIBE_TABLE_2048_CHAR_BYPASS", "DBT_SPARK_LOG_LEVEL", "DBT_ENV_SECRET_X"),
    # Tomorrow's.
    *("DBT_ENGINE_OPTION_OF_TOMORROW", "DBT_OPTION_OF_TOMORROW", "DBT_DEFAULT_OPTION"),
)


def documented() -> Iterator[str]:
    """Every variable that the installed dbt knows."""
    for command in (dbt_cli.cli, *dbt_cli.cli.commands.values()):
        for option in command.params:
            if isinstance(option.envvar, str):
                yield option.envvar
            else:
                yield from option.envvar or ()
    for known in KNOWN_ENGINE_ENV_VARS:
        yield known.name
        yield from [known.old_name] if known.old_name else []
    yield from UNLISTED


DOCUMENTED: Final = sorted({*documented()} - OURS.keys())


def harmful(name: str) -> str:
    """A value that dbt takes for this variable, and that changes something if it does."""
    options = [it for command in (dbt_cli.cli, dbt_cli.build) for it in command.params]
    option = next((it for it in options if name in (it.envvar or ())), None)
    if option is None:
        return "1"
    if isinstance(option.type, click.Choice):
        return str(option.type.choices[-1])
    if option.name in {"resource_types", "exclude_resource_types"}:
        return "test"
    return "false" if option.default is True else "1"


def flags() -> dict[str, Any]:
    arguments = [*build_arguments([]), *project_arguments(project_dir(), Path("/dbt/target"))]
    with sheltering(OURS):
        return {
            name: str(value)
            for name, value in vars(Flags(args_to_context(arguments))).items()
            if name.isupper() and name != "INVOCATION_COMMAND"
        }


@pytest.fixture(scope="module")
def flags_of_a_clean_environment() -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [*os.environ]:
            if name.startswith("DBT_"):
                patch.delenv(name)
        return flags()


def test_dbt_documents_what_is_tried_here() -> None:
    known = {"DBT_FULL_REFRESH", "DBT_EXCLUDE_RESOURCE_TYPES", "DBT_PROFILE", "DBT_ENGINE_EMPTY"}

    assert known <= set(DOCUMENTED)
    assert len(DOCUMENTED) > 100


def test_no_variable_of_dbt_changes_its_flags(
    monkeypatch: pytest.MonkeyPatch, flags_of_a_clean_environment: dict[str, Any]
) -> None:
    for name in DOCUMENTED:
        monkeypatch.setenv(name, harmful(name))

    assert flags() == flags_of_a_clean_environment


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", DOCUMENTED)
def test_no_variable_of_dbt_by_itself_changes_its_flags(
    monkeypatch: pytest.MonkeyPatch, name: str, flags_of_a_clean_environment: dict[str, Any]
) -> None:
    monkeypatch.setenv(name, harmful(name))

    assert flags() == flags_of_a_clean_environment


def test_without_shelter_it_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBT_FULL_REFRESH", "1")

    arguments = [*build_arguments([]), *project_arguments(project_dir(), Path("/dbt/target"))]

    assert Flags(args_to_context(arguments)).FULL_REFRESH


def test_the_shelter_gives_back_what_was_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBT_FULL_REFRESH", "1")
    monkeypatch.setenv("DUCKDB_PATH", "before.duckdb")
    before = dict(os.environ)

    with sheltering(OURS):
        assert "DBT_FULL_REFRESH" not in os.environ
        assert os.environ["DUCKDB_PATH"] == "own.duckdb"
        assert os.environ["PATH"] == before["PATH"]

    assert dict(os.environ) == before


@pytest.mark.parametrize(
    "name",
    [
        "DBT_PROFILE",
        "PYTHONOPTIMIZE",
        "PYTHONWARNINGS",
        "DATABRICKS_DISCOVERY_URL",
        "ARM_TENANT_ID",
    ],
)
def test_a_child_process_gets_nothing_of_other_tools(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "1")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")

    environment = sheltered(OURS)

    assert name not in environment
    assert environment["HTTPS_PROXY"] == "http://proxy.example:3128"
    assert OURS.items() <= environment.items()


def test_a_module_in_the_working_folder_is_not_taken_for_one_of_python(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('not this one')\n")

    ended = run_in_subprocess("json.tool", given='{"a": 1}')

    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_command_line_keeps_our_own_settings_and_none_of_dagsters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours = {name for name in DataPlatformConfig.variables() if name.startswith("DAGSTER_")}
    for name in (*ours, "DAGSTER_OPTION_OF_TOMORROW"):
        monkeypatch.setenv(name, "x")

    forget_settings_of_dagster()

    assert {name for name in os.environ if name.startswith("DAGSTER_")} == ours
