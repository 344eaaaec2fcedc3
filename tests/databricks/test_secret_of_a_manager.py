"""The token of a SQL warehouse in a manager: who uses it reads it, and a rotation is noticed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from databricks_stand_in.client import WarehouseClient
from lending_club_pipeline.contract.errors import WarehouseError
from lending_club_pipeline.secret_stores.reading import forget_secrets
from tests.databricks.deliveries import deliver
from tests.databricks.killing import RUN, command
from tests.databricks.pipelines import warehouse_of
from tests.operating.secret_managers import aws

REFERENCE = "aws-secretsmanager:prod/databricks#token"


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with aws() as (client, variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        forget_secrets()
        client.create_secret(Name="prod/databricks", SecretString='{"token": "of-yesterday"}')
        yield client


def rotate(manager: Any, warehouse: WarehouseClient) -> None:
    text = json.dumps({"token": warehouse.token})
    manager.put_secret_value(SecretId="prod/databricks", SecretString=text)


def test_a_session_and_dbt_sign_in_with_what_the_manager_has_now(
    manager: Any, warehouse: WarehouseClient, tmp_path: Path
) -> None:
    named = warehouse_of(warehouse, tmp_path, databricks_token=REFERENCE)
    with pytest.raises(WarehouseError, match="sign-in was refused"), named.session(read_only=True):
        pytest.fail("signed in")

    rotate(manager, warehouse)

    with named.session(read_only=True):
        assert named.fetch("select 1 as one") == [{"one": 1}]
        assert named.dbt_environment()["DATABRICKS_TOKEN"] == warehouse.token
    # To read its project, dbt needs none.
    assert named.dbt_environment()["DATABRICKS_TOKEN"] == REFERENCE


@pytest.mark.exhaustive
def test_a_run_signs_in_by_the_name_of_a_secret_and_writes_no_secret(
    manager: Any, warehouse: WarehouseClient, tmp_path: Path
) -> None:
    rotate(manager, warehouse)
    deliver(tmp_path)

    ended = command(warehouse, tmp_path, *RUN, DATABRICKS_TOKEN=REFERENCE)

    assert ended.returncode == 0, ended.stderr
    assert warehouse.token not in ended.stdout + ended.stderr
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in files)
    assert [path for path in files if warehouse.token.encode() in path.read_bytes()] == []
