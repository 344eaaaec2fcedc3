"""A misspelt setting is an error that says which one is meant; the names of others are theirs."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from databricks.sdk.config import Config

from lending_club_pipeline.config.settings import DataPlatformConfig, load_settings
from lending_club_pipeline.contract.errors import ConfigurationError
from lending_club_pipeline.runs.doctor import preflight_checks
from tests.unit.test_environments import DOCUMENTED
from tests.workspaces import Workspace

KNOWN: Final = [*DataPlatformConfig.variables()]
MISSPELT: Final = {
    "MOVEMENT_LIMIT": "MOVEMENT_LIMITS",
    "RETENTION_DAY": "RETENTION_DAYS",
    "RETENTIONDAYS": "RETENTION_DAYS",
    "DATABRICKS_TOKENS": "DATABRICKS_TOKEN",
    "DATABRIKS_HOST": "DATABRICKS_HOST",
    "DATBASE_TYPE": "DATABASE_TYPE",
    "BACKFILL_DAYS_PER_RUNS": "BACKFILL_DAYS_PER_RUN",
    "DELIVERY_CALENDER": "DELIVERY_CALENDAR",
    "INPUT_PAHT": "INPUT_PATH",
    "memory_limits": "MEMORY_LIMIT",
    "DBT_THREAD": "DBT_THREADS",
    "DAGSTER_HOMES": "DAGSTER_HOME",
    "SECRET_DIR": "SECRETS_DIR",
}


def of_the_sdk() -> Iterator[str]:
    """Every variable that the Databricks SDK documents."""
    for attribute in Config.attributes():
        yield from [attribute.env] if attribute.env else []


FOREIGN: Final = sorted(
    {
        *DOCUMENTED,
        *of_the_sdk(),
        *("DATABRICKS_SERVER_HOSTNAME", "DATABRICKS_ACCESS_TOKEN", "DATABRICKS_WAREHOUSE_ID"),
        *("DAGSTER_GRPC_PORT", "DAGSTER_CURRENT_IMAGE", "DAGSTER_POSTGRES_PASSWORD"),
        *("DATABASE_URL", "DB_HOST", "INPUTRC", "MEMORY_LIMIT_MB", "OUTPUT_FORMAT", "LANDING_PAGE"),
    }
    - {*KNOWN}
)


def error() -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", MISSPELT)
def test_a_misspelt_variable_is_named_with_the_one_that_is_meant(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "5")

    assert error() == (
        f"{name.upper()} in the environment is not a setting: did you mean {MISSPELT[name]}? "
        "See .env.example."
    )


@pytest.mark.parametrize("name", [it for it in MISSPELT if it != "SECRET_DIR"])
def test_a_misspelt_name_in_the_env_file_is_one_as_well(name: str) -> None:
    Path(".env").write_text(f"# a comment\nexport {name}=5\n")

    assert f"{name.upper()} in .env is not a setting: did you mean {MISSPELT[name]}?" in error()


def test_a_misspelt_secret_file_is_one_as_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "databricks_tokens").write_text("secret")
    (tmp_path / "..data").mkdir()
    (tmp_path / "another-secret").write_text("secret")
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path))

    assert error() == (
        "DATABRICKS_TOKENS in SECRETS_DIR is not a setting: did you mean DATABRICKS_TOKEN? "
        "See .env.example."
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ENVIRONMENT=production", "ENVIRONMENT in .env is not a setting: remove it."),
        ("DATABRICKS_CONFIG_PROFILE=x", "DATABRICKS_CONFIG_PROFILE in .env is not a setting:"),
        ("DBT_FULL_REFRESH=1", "DBT_FULL_REFRESH in .env is not a setting:"),
        ("SECRETS_DIR=/run/secrets", "SECRETS_DIR in .env is not a setting:"),
    ],
)
def test_any_other_unknown_name_in_the_env_file_is_refused(line: str, said: str) -> None:
    Path(".env").write_text(f"{line}\n")

    assert said in error()


def test_several_unknown_names_are_named_together() -> None:
    Path(".env").write_text("ONE=1\nMOVEMENT_LIMIT=balance=5\n")

    assert error() == (
        "ONE in .env is not a setting: remove it. MOVEMENT_LIMIT in .env is not a setting: "
        "did you mean MOVEMENT_LIMITS? See .env.example."
    )


@pytest.mark.parametrize("name", FOREIGN)
def test_what_other_tools_document_is_no_error(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "x")

    load_settings()


def test_tools_that_share_the_env_file_may_have_their_names_there() -> None:
    Path(".env").write_text(
        "COMPOSE_PROFILES=all\nPOSTGRES_PASSWORD=x\nPGDATA=x\nDAGSTER_POSTGRES_HOST=db\n"
        "LENDING_CLUB_PORT=3000\nPYTHON_IMAGE=python:3.13\nMOVEMENT_LIMITS=balance=10\n"
    )

    assert load_settings().deliveries.movement_limits == "balance=10"


def test_every_name_in_the_example_is_known() -> None:
    example = (Path(__file__).parents[2] / ".env.example").read_text()
    listed = re.sub(r"^# (?=[A-Z_]+=)(?!SECRETS_DIR)", "", example, flags=re.MULTILINE)
    Path(".env").write_text(listed)

    load_settings()


def test_the_doctor_shows_the_same(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVEMENT_LIMIT", "balance=5")

    found = {
        it.subject: it for it in preflight_checks({"dagster_home": workspace.root / "dagster"})
    }

    assert found["settings"].verdict == "problem"
    assert "did you mean MOVEMENT_LIMITS?" in found["settings"].detail


def test_a_run_ends_with_exit_code_2(workspace: Workspace) -> None:
    ended: subprocess.CompletedProcess[str] = workspace.command("run", MOVEMENT_LIMIT="balance=5")

    assert ended.returncode == 2
    assert "did you mean MOVEMENT_LIMITS?" in ended.stderr
