"""The query history over REST, for the unmodified SDK."""

import time
import urllib.error

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.sql import QueryFilter, QueryInfo, QueryStatus, TimeRange
from databricks.sql.exc import ServerOperationError

from databricks_stand_in.client import WarehouseClient


@pytest.fixture
def sdk(warehouse: WarehouseClient, monkeypatch: pytest.MonkeyPatch) -> WorkspaceClient:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(warehouse.ca_file))
    return WorkspaceClient(host=f"https://{warehouse.host}", token=warehouse.token)


def listed(sdk: WorkspaceClient, **chosen: object) -> list[QueryInfo]:
    return sdk.query_history.list(filter_by=QueryFilter(**chosen), include_metrics=True).res or []


def test_statements_are_listed_newest_first_with_tags_status_and_bytes(
    warehouse: WarehouseClient, schema: str, sdk: WorkspaceClient
) -> None:
    with warehouse.connect(query_tags={"team": "lending"}).cursor() as cursor:
        cursor.execute(f"create table {schema}.t as select id from range(100000)")
        cursor.execute(f"select sum(id) from {schema}.t", query_tags={"run": "1"})
        with pytest.raises(ServerOperationError):
            cursor.execute("select * from nowhere")

    failed, read, written = listed(sdk, warehouse_ids=["local"])[:3]

    assert failed.status is QueryStatus.FAILED
    assert str(failed.error_message).startswith("[TABLE_OR_VIEW_NOT_FOUND]")
    assert (read.status, read.rows_produced, read.is_final) == (QueryStatus.FINISHED, 1, True)
    assert {it.key: it.value for it in read.query_tags or []} == {"team": "lending", "run": "1"}
    assert {it.key: it.value for it in written.query_tags or []} == {"team": "lending"}
    assert read.metrics
    assert written.metrics
    assert int(read.metrics.read_bytes or 0) > 0
    assert int(written.metrics.write_remote_bytes or 0) > 100_000
    assert int(written.duration or 0) > 0


def test_statements_of_another_warehouse_or_time_or_client_are_not_listed(
    warehouse: WarehouseClient, warehouse_environment: dict[str, str], sdk: WorkspaceClient
) -> None:
    began = round(time.time() * 1000)
    warehouse.run("select 1")
    ended = round(time.time() * 1000)
    WarehouseClient(warehouse_environment).run("select 'of another client'")

    during = TimeRange(start_time_ms=began, end_time_ms=ended)
    assert [it.query_text for it in listed(sdk, query_start_time_range=during)] == ["select 1"]
    assert listed(sdk, query_start_time_range=TimeRange(end_time_ms=began - 1)) == []
    assert listed(sdk, query_start_time_range=TimeRange(start_time_ms=ended + 1)) == []
    assert listed(sdk, warehouse_ids=["another"]) == []
    assert listed(sdk, statuses=[QueryStatus.FAILED]) == []


def test_pages_follow_each_other_even_if_a_statement_comes_between(
    warehouse: WarehouseClient, sdk: WorkspaceClient
) -> None:
    for number in range(5):
        warehouse.run(f"select {number}")

    found, token = [], None
    while True:
        page = sdk.query_history.list(max_results=2, page_token=token)
        found += [it.query_text for it in page.res or []]
        token = page.next_page_token
        if not page.has_next_page:
            break
        warehouse.run("select 'between'")

    assert found == [f"select {number}" for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize("query", ["max_results=1000", "max_results=x", "user_ids=1"])
def test_what_the_history_does_not_know_is_an_error(warehouse: WarehouseClient, query: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        warehouse.request("GET", f"/api/2.0/sql/history/queries?{query}")
