"""`lending-club doctor` on Databricks: one finding for each step, and what to ask for."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from databricks_stand_in.client import WarehouseClient
from lending_club_pipeline.cli import cli
from lending_club_pipeline.contract.errors import WarehouseError
from lending_club_pipeline.contract.preflight_results import PreflightResult
from tests.databricks.pipelines import environment_of, warehouse_of

STEPS = ["name", "TLS", "sign-in", "warehouse", "catalog", "schema", "volume", "rights"]


def _examined(client: WarehouseClient, folder: Path, **changed: Any) -> dict[str, PreflightResult]:
    found = {
        finding.subject.removeprefix("Databricks "): finding
        for finding in warehouse_of(client, folder, **changed).preflight()
    }
    assert list(found) == STEPS
    for finding in found.values():
        assert client.token not in finding.detail
    return found


def _assert_fails_at(found: dict[str, PreflightResult], step: str) -> str:
    """All before a step is well, and all behind it is skipped with a word."""
    place = STEPS.index(step)
    assert [found[it].verdict for it in STEPS[:place]] == ["ok"] * place
    assert found[step].verdict == "problem"
    for it in STEPS[place + 1 :]:
        assert (found[it].verdict, found[it].detail) == (
            "warning",
            f"not checked, because {step} failed",
        )
    assert "\n" not in found[step].detail
    return found[step].detail


@pytest.fixture
def principal(warehouse: WarehouseClient) -> Iterator[str]:
    """Who signs in; what they are granted on the catalog outlives no test."""
    who = str(warehouse.run("select current_user()")[0][0])
    yield who
    warehouse.run(f"revoke use catalog on catalog {warehouse.catalog} from `{who}`")


def _make_everything(warehouse: WarehouseClient, principal: str) -> None:
    schema = f"{warehouse.catalog}.{warehouse.schema}"
    with warehouse.connect() as connection, connection.cursor() as cursor:
        for statement in (
            f"create schema {schema}",
            f"create volume {schema}.landing",
            f"grant use catalog on catalog {warehouse.catalog} to `{principal}`",
            f"grant use schema, create table, select, modify on schema {schema} to `{principal}`",
            f"grant read volume, write volume on volume {schema}.landing to `{principal}`",
        ):
            cursor.execute(statement)


def test_everything_is_there(warehouse: WarehouseClient, principal: str, tmp_path: Path) -> None:
    _make_everything(warehouse, principal)
    before = len(warehouse.statements())

    found = _examined(warehouse, tmp_path / "w")

    assert {finding.verdict for finding in found.values()} == {"ok"}, found
    assert found["rights"].detail == f"all that a run needs is granted to {principal}"
    assert list(tmp_path.iterdir()) == []
    sent = [ran["text"].split()[0] for ran in warehouse.statements()[before:]]
    assert set(sent) <= {"select", "show"}


def test_the_command_prints_each_step_and_no_secret(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    environment = environment_of(warehouse, tmp_path)

    result = CliRunner().invoke(cli, ["doctor"], env=environment)

    for step in STEPS:
        assert f"Databricks {step}: " in result.output
    assert warehouse.token not in result.output


def test_an_owner_needs_no_grant_in_the_schema(
    warehouse: WarehouseClient, principal: str, tmp_path: Path
) -> None:
    schema = f"{warehouse.catalog}.{warehouse.schema}"
    warehouse.run(f"create schema {schema}")
    warehouse.run(f"alter schema {schema} owner to `{principal}`")
    warehouse.run(f"grant use catalog on catalog {warehouse.catalog} to `{principal}`")

    found = _examined(warehouse, tmp_path)

    assert found["rights"].verdict == "ok"
    assert found["volume"].detail == (
        f"{schema}.landing (will be made by the next run, which needs: grant create volume on "
        f"schema `{warehouse.catalog}`.`{warehouse.schema}` to `{principal}`)"
    )


def test_an_unknown_host(warehouse: WarehouseClient, tmp_path: Path) -> None:
    found = _examined(warehouse, tmp_path, databricks_host="no-such-workspace.invalid")

    detail = _assert_fails_at(found, "name")

    assert detail.startswith("no-such-workspace.invalid is not known. Correct DATABRICKS_HOST")


def test_a_host_that_nobody_listens_on(warehouse: WarehouseClient, tmp_path: Path) -> None:
    found = _examined(warehouse, tmp_path, databricks_host="localhost:1")

    detail = _assert_fails_at(found, "TLS")

    assert detail.startswith("no TLS connection to localhost, port 1 (ConnectionRefusedError)")
    assert "firewall" in detail


@contextmanager
def behind_a_proxy(proxy: str, without: str) -> Iterator[None]:
    """Name a proxy for a block alone: what drops the schema afterwards goes without it."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("HTTPS_PROXY", "https_proxy"):
            environment.setenv(name, proxy)
        for name in ("NO_PROXY", "no_proxy"):
            environment.setenv(name, without)
        yield


def test_a_proxy_that_is_not_there(warehouse: WarehouseClient, tmp_path: Path) -> None:
    pipeline = warehouse_of(warehouse, tmp_path, databricks_retry_seconds=1)

    with behind_a_proxy("http://somebody:canary@localhost:1", "elsewhere.example"):
        detail = _assert_fails_at(_examined(warehouse, tmp_path), "name")
        with (
            pytest.raises(WarehouseError, match=r"the proxy that HTTPS_PROXY names did not answer"),
            pipeline.session(read_only=True),
        ):
            pytest.fail("connected")

    assert detail.startswith("the proxy localhost:1 does not answer (ConnectionRefusedError).")
    assert "HTTPS_PROXY" in detail
    assert "canary" not in detail


@pytest.mark.exhaustive
def test_a_host_that_no_proxy_names_with_its_port_is_reached_without_the_proxy(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    with behind_a_proxy("http://localhost:1", f"elsewhere.example,{warehouse.host}"):
        found = _examined(warehouse, tmp_path)

    assert found["warehouse"].verdict == "ok", found


def test_a_certificate_that_is_not_trusted(warehouse: WarehouseClient, tmp_path: Path) -> None:
    ca_file = warehouse.environment.pop("DATABRICKS_CA_FILE")

    found = _examined(warehouse, tmp_path)
    warehouse.environment["DATABRICKS_CA_FILE"] = ca_file

    detail = _assert_fails_at(found, "TLS")
    assert detail.startswith("the certificate of localhost is not trusted (")
    assert detail.endswith("name the file by DATABRICKS_CA_FILE")


def test_a_file_of_certificates_that_is_not_there(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    found = _examined(warehouse, tmp_path, databricks_ca_file=tmp_path / "none.pem")

    assert _assert_fails_at(found, "TLS") == (
        f"DATABRICKS_CA_FILE={tmp_path}/none.pem is not a file. Correct it"
    )


def test_a_token_that_is_refused(warehouse: WarehouseClient, tmp_path: Path) -> None:
    wrong = f"dapi{secrets.token_hex(16)}"

    found = _examined(warehouse, tmp_path, databricks_token=wrong)

    detail = _assert_fails_at(found, "sign-in")
    assert "the sign-in was refused. Renew DATABRICKS_TOKEN" in detail
    assert "CAN USE" in detail
    assert wrong not in detail


def test_a_path_without_a_warehouse(warehouse: WarehouseClient, tmp_path: Path) -> None:
    path = "/sql/1.0/warehouses/none"

    found = _examined(warehouse, tmp_path, databricks_http_path=path)

    detail = _assert_fails_at(found, "warehouse")
    assert detail.startswith(f"there is no SQL warehouse at DATABRICKS_HTTP_PATH={path}. ")
    assert "CAN USE" in detail


def test_a_catalog_that_is_not_there(
    warehouse: WarehouseClient, principal: str, tmp_path: Path
) -> None:
    found = _examined(warehouse, tmp_path, databricks_catalog="elsewhere")

    assert _assert_fails_at(found, "catalog") == (
        f"there is no catalog elsewhere, or {principal} may not see it. Correct "
        "DATABRICKS_CATALOG, or ask the administrator for: grant use catalog, create schema on "
        f"catalog `elsewhere` to `{principal}`"
    )


def test_a_right_that_is_missing_on_the_catalog(warehouse: WarehouseClient, tmp_path: Path) -> None:
    warehouse.arm(
        "fail", matching="^show schemas", condition="INSUFFICIENT_PERMISSIONS", state="42501"
    )

    detail = _assert_fails_at(_examined(warehouse, tmp_path), "catalog")

    assert "may not see it" in detail
    assert "grant use catalog" in detail


def test_a_schema_that_is_not_there_will_be_made(
    warehouse: WarehouseClient, principal: str, tmp_path: Path
) -> None:
    found = _examined(warehouse, tmp_path)

    needed = f"grant use catalog, create schema on catalog `{warehouse.catalog}` to `{principal}`"
    assert found["schema"].verdict == "ok"
    assert found["schema"].detail == (
        f"{warehouse.catalog}.{warehouse.schema} (will be made by the first run, which needs: "
        f"{needed})"
    )
    assert found["volume"].detail.endswith("which needs: the right to make the schema)")
    assert found["rights"].verdict == "warning"
    assert found["rights"].detail.splitlines()[1:] == [f"{needed};"]


def test_a_volume_that_is_not_there_and_rights_that_are_not_granted(
    warehouse: WarehouseClient, principal: str, tmp_path: Path
) -> None:
    warehouse.run(f"create schema {warehouse.catalog}.{warehouse.schema}")
    warehouse.run(f"grant use catalog on catalog {warehouse.catalog} to `{principal}`")

    found = _examined(warehouse, tmp_path, databricks_serving_table="default.account_summary")

    catalog, schema = warehouse.catalog, warehouse.schema
    assert found["volume"].detail.startswith(f"{catalog}.{schema}.landing (will be made by the")
    assert found["rights"].verdict == "warning"
    assert "as a member of a group or as the owner" in found["rights"].detail
    on_schema = "grant use schema, create table, select, modify"
    assert found["rights"].detail.splitlines()[1:] == [
        f"{on_schema}, create volume on schema `{catalog}`.`{schema}` to `{principal}`;",
        f"{on_schema} on schema `{catalog}`.`default` to `{principal}`;",
    ]
