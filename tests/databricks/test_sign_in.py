"""A service principal signs in through both clients, and its secrets stay where they belong."""

import os
import shutil
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from dbt.cli.main import dbtRunner

from databricks_stand_in.client import WarehouseClient
from databricks_stand_in.sign_in import OAUTH_PREFIX
from lending_club_pipeline.config.environment import temporary_environment
from lending_club_pipeline.contract.errors import WarehouseError
from lending_club_pipeline.contract.seeds import project_dir
from lending_club_pipeline.dbt_runner.manifest import project_arguments
from lending_club_pipeline.warehouse.databricks.connections import connection_arguments
from lending_club_pipeline.warehouse.databricks.warehouse import DatabricksWarehouse
from tests.databricks.deliveries import deliver
from tests.databricks.killing import RUN, command
from tests.databricks.pipelines import warehouse_of

# What sent secrets away or blocked the sign-in when the SDK read it; see test_sign_in_isolation.
OF_OTHERS = {
    "ARM_CLIENT_ID": "other",
    "DATABRICKS_AUTH_TYPE": "azure-cli",
    "DATABRICKS_CONFIG_PROFILE": "other",
    "DATABRICKS_DISCOVERY_URL": "http://127.0.0.1:9/other-account",
    "GOOGLE_CREDENTIALS": "other",
}


@pytest.fixture
def principal(
    warehouse: WarehouseClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[DatabricksWarehouse]:
    """The pipeline's view of the warehouse, for a service principal instead of a token."""
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    for name, value in OF_OTHERS.items():
        monkeypatch.setenv(name, value)
    client_id, secret = warehouse.service_principal
    token = warehouse.environment.pop("DATABRICKS_TOKEN")
    yield warehouse_of(
        warehouse,
        tmp_path,
        databricks_client_id=client_id,
        databricks_client_secret=secret,
    )
    warehouse.environment["DATABRICKS_TOKEN"] = token


def test_a_service_principal_runs_statements(principal: DatabricksWarehouse) -> None:
    with principal.session(read_only=True):
        assert principal.fetch("select 1 as one") == [{"one": 1}]
    # The certificates were trusted for as long as they were needed.
    assert "REQUESTS_CA_BUNDLE" not in os.environ


def _project_of_one_seed(folder: Path) -> Path:
    """Make a dbt project with our profile and one seed: models say nothing about the sign-in."""
    (folder / "seeds").mkdir(parents=True)
    for name in ("profiles.yml", "seeds/loan_bonus_rates.csv"):
        shutil.copyfile(project_dir() / name, folder / name)
    (folder / "dbt_project.yml").write_text("{name: seeds, version: 0.1.0, profile: lending_club}")
    return folder


def test_dbt_signs_in_as_a_service_principal_and_writes_no_secret(
    principal: DatabricksWarehouse, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    project, target = _project_of_one_seed(tmp_path / "project"), tmp_path / "target"
    with temporary_environment({**principal.dbt_environment(), "DATABRICKS_TOKEN": ""}):
        outcome = dbtRunner().invoke(["seed", *project_arguments(project, target)])

    assert outcome.success, outcome.exception
    assert (target / "manifest.json").exists()
    secret = principal.address.client_secret
    assert secret is not None
    said = capfd.readouterr()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    for value in (secret.get_secret_value(), OAUTH_PREFIX):
        assert value not in said.out + said.err
        assert [path for path in files if value.encode() in path.read_bytes()] == []


def test_no_secret_is_in_a_representation(principal: DatabricksWarehouse) -> None:
    secret = principal.address.client_secret
    assert secret is not None
    shown = f"{principal!r} {principal.address!r} {principal.address} {principal.location}"
    shown += repr(connection_arguments(principal.address, "run"))
    assert secret.get_secret_value() not in shown


@pytest.fixture
def load_that_fails(warehouse: WarehouseClient, schema: str) -> None:
    """Let a run fail when it has signed in: with dbt it would do so as in the test above."""
    warehouse.run(f"create table {schema}.accounts_raw (other int)")


@pytest.mark.exhaustive
def test_the_token_of_a_service_principal_is_in_no_file_of_a_run(
    load_that_fails: None,
    principal: DatabricksWarehouse,
    warehouse: WarehouseClient,
    tmp_path: Path,
) -> None:
    secret = principal.address.client_secret
    assert secret is not None
    deliver(tmp_path)
    by_secret = {
        "DATABRICKS_CLIENT_ID": str(principal.address.client_id),
        "DATABRICKS_CLIENT_SECRET": secret.get_secret_value(),
    }

    ended = command(warehouse, tmp_path, "--debug", *RUN, **by_secret)

    assert ended.returncode == 1
    assert "its tag is the id of the run" in ended.stderr
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in files)
    for value in (secret.get_secret_value(), OAUTH_PREFIX):
        assert value not in ended.stdout + ended.stderr
        assert [path for path in files if value.encode() in path.read_bytes()] == []


def test_a_wrong_client_secret_is_refused_at_once(
    principal: DatabricksWarehouse, warehouse: WarehouseClient, tmp_path: Path
) -> None:
    wrong = warehouse_of(
        warehouse,
        tmp_path,
        databricks_client_id=principal.address.client_id,
        databricks_client_secret="dose-canary",
    )

    with pytest.raises(WarehouseError) as caught, wrong.session(read_only=True):
        pytest.fail("signed in")

    assert "the sign-in was refused" in str(caught.value)
    assert "DATABRICKS_CLIENT_ID" in str(caught.value)
    assert "dose-canary" not in "".join(traceback.format_exception(caught.value))
