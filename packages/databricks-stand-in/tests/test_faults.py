"""The stand-in's sign-in, and its faults as a client meets them."""

import json
import subprocess
import sys
import time

import pytest
from databricks.sdk.core import Config, oauth_service_principal
from databricks.sql.exc import RequestError, ServerOperationError

from databricks_stand_in.client import WarehouseClient

# --- signing in


@pytest.mark.parametrize("token", ["wrong", "dapi00000000000000000000000000000000"])
def test_a_wrong_token_is_refused_at_once(warehouse: WarehouseClient, token: str) -> None:
    with pytest.raises(RequestError, match="Invalid access token"):
        warehouse.connect(access_token=token)


def test_a_service_principal_signs_in(
    warehouse: WarehouseClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(warehouse.ca_file))
    client_id, secret = warehouse.service_principal
    host = f"https://{warehouse.host}"
    config = Config(host=host, client_id=client_id, client_secret=secret)

    provider = {"credentials_provider": lambda: oauth_service_principal(config)}
    assert warehouse.run("select 1", access_token=None, **provider) == [(1,)]


# --- faults


@pytest.mark.parametrize("status", [503, 429])
def test_a_refusal_with_retry_after_is_retried(warehouse: WarehouseClient, status: int) -> None:
    warehouse.arm("refuse", status=status, times=2, retry_after=1, method="ExecuteStatement")
    began = time.monotonic()
    assert warehouse.run("select 1") == [(1,)]
    assert time.monotonic() - began >= 2
    assert [row["struck"] for row in warehouse.request("GET", "/faults")] == [2]


def test_a_slow_start_is_waited_for(warehouse: WarehouseClient) -> None:
    warehouse.arm("slow_start", seconds=3)
    began = time.monotonic()
    assert warehouse.run("select 1") == [(1,)]
    assert time.monotonic() - began >= 3


def test_an_expired_token_is_refused_until_the_fault_is_off(warehouse: WarehouseClient) -> None:
    warehouse.arm("expire_token")
    with pytest.raises(RequestError, match="Invalid access token"):
        warehouse.run("select 1")
    warehouse.disarm()
    assert warehouse.run("select 1") == [(1,)]


def test_the_connection_is_cut_in_the_middle_of_a_result(warehouse: WarehouseClient) -> None:
    warehouse.arm("cut_fetch", skip=1)
    with warehouse.connect() as connection, connection.cursor() as cursor:
        cursor.arraysize = 10_000
        cursor.execute("select id from range(50000)")
        with pytest.raises(Exception, match=r"(?i)connection|incomplete|read"):
            cursor.fetchall()


def test_the_nth_statement_fails_without_having_run(
    warehouse: WarehouseClient, schema: str
) -> None:
    warehouse.arm("fail", at=2, condition="INTERNAL_ERROR", message="out of luck")
    warehouse.run(f"create table {schema}.one (a int)")
    with pytest.raises(ServerOperationError, match=r"\[INTERNAL_ERROR\] out of luck"):
        warehouse.run(f"create table {schema}.two (a int)")
    assert [row[1] for row in warehouse.run(f"show tables in {schema}")] == ["one"]


def test_a_lost_reply_makes_the_connector_send_the_statement_again(
    warehouse: WarehouseClient, schema: str
) -> None:
    warehouse.run(f"create table {schema}.t (a int)")
    warehouse.arm("lose_reply", matching="^insert")
    warehouse.run(f"insert into {schema}.t values (1)")
    assert warehouse.run(f"select a from {schema}.t") == [(1,), (1,)]


def test_a_statement_with_a_lost_reply_has_run(warehouse: WarehouseClient, schema: str) -> None:
    warehouse.run(f"create table {schema}.t (a int)")
    warehouse.arm("lose_reply", matching="^insert")
    with pytest.raises(Exception, match=r"(?i)connection|remote|max retries"):
        warehouse.run(f"insert into {schema}.t values (1)", _enable_v3_retries=False)
    assert warehouse.run(f"select a from {schema}.t") == [(1,)]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_client_is_killed_at_a_statement(
    warehouse: WarehouseClient, schema: str, after: bool
) -> None:
    warehouse.run(f"create table {schema}.t (a int)")
    statement = f"insert into {schema}.t values (1)"
    program = (
        "import json, sys; from databricks_stand_in.client import WarehouseClient;"
        "client = WarehouseClient(json.loads(sys.stdin.readline()));"
        f"client.run({statement!r})"
    )
    victim = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, text=True)
    warehouse.arm("kill", matching="^insert", pid=victim.pid, after=after)
    assert victim.stdin is not None
    victim.stdin.write(json.dumps(warehouse.environment) + "\n")
    victim.stdin.close()
    assert victim.wait(120) == -9
    assert warehouse.run(f"select count(*) from {schema}.t") == [(int(after),)]


def test_faults_strike_their_own_client_only(
    warehouse: WarehouseClient, warehouse_environment: dict[str, str]
) -> None:
    warehouse.arm("expire_token")
    assert WarehouseClient(warehouse_environment).run("select 1") == [(1,)]
