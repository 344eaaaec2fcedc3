"""What statements on Databricks cost: asked from a workspace, and summed up for the exporter."""

import datetime as dt
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lending_club_pipeline.contract.errors import WarehouseError
from lending_club_pipeline.defs.operating.samples import (
    Refreshed,
    refreshed_statements,
    statement_samples,
)
from lending_club_pipeline.operating import measurements as of
from lending_club_pipeline.operating.measurements import Sample
from lending_club_pipeline.warehouse.databricks.query_history import QueryHistory
from tests.databricks.histories import NOW, RUN, TOKEN, Refusal, Workspace, ran, workspace_at

HOUR = dt.timedelta(hours=1)
MODEL = RUN | {"@@dbt_model_name": "account_summary", "@@dbt_materialized": "table"}
TEST = RUN | {"@@dbt_model_name": "unique_a_b", "@@dbt_materialized": "test"}
MISSING_RIGHT = Refusal(403, {"error_code": "PERMISSION_DENIED", "message": f"no: {TOKEN}"})
BUSY = Refusal(429, {"error_code": "REQUEST_LIMIT_EXCEEDED"}, {"Retry-After": "1"})


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with workspace_at(tmp_path) as serving:
        yield serving


@pytest.fixture
def history(workspace: Workspace) -> QueryHistory:
    return QueryHistory(workspace.settings().databricks, {}, retry_seconds=1)


def values(samples: list[Sample]) -> dict[tuple[str, str, str], float]:
    """Return values by the last part of the name, and the labels."""
    return {
        (it.measurement.name.rpartition(".")[2], it.labels["work"], it.labels["status"]): it.value
        for it in samples
    }


def test_statements_seconds_and_bytes_are_summed_by_what_the_tags_say(
    workspace: Workspace, history: QueryHistory
) -> None:
    workspace.statements = [
        *(ran(MODEL), ran(MODEL), ran(MODEL, "FAILED"), ran(TEST), ran(status="CANCELED")),
        ran(RUN | {"run_id": "none"}),
        ran(status="RUNNING"),
        # Of somebody else.
        *(ran({"application": "other"}), ran({})),
    ]

    found = values([*statement_samples(history.read(NOW))])

    counts = {key[1:]: value for key, value in found.items() if key[0] == "statements"}
    assert counts == {
        ("account_summary", "finished"): 2,
        ("account_summary", "failed"): 1,
        ("dbt tests", "finished"): 1,
        ("run", "canceled"): 1,
        ("run", "unfinished"): 1,
        ("outside runs", "finished"): 1,
    }
    of_model = ("account_summary", "finished")
    assert [found[(name, *of_model)] for name in ("duration", "read", "written")] == [3.0, 20, 10]


def test_all_pages_of_this_warehouse_and_of_a_day_are_read(
    workspace: Workspace, history: QueryHistory
) -> None:
    workspace.statements = [ran() for _ in range(250)]

    assert len(history.read(NOW)) == 250

    assert [it.get("page_token") for it in workspace.asked] == [None, "100", "200"]
    now = round(NOW.timestamp() * 1000)
    for asked in workspace.asked:
        assert asked["filter_by.warehouse_ids"] == "abc123"
        assert asked["include_metrics"] == "true"
        assert int(asked["filter_by.query_start_time_range.end_time_ms"]) == now
        day = now - int(asked["filter_by.query_start_time_range.start_time_ms"])
        assert day == 24 * 3600 * 1000


def test_only_what_may_have_changed_is_asked_for_again(
    workspace: Workspace, history: QueryHistory
) -> None:
    ended, running = ran(age=5 * HOUR), ran(status="RUNNING", age=3 * HOUR)
    workspace.statements = [running, ended]
    history.read(NOW)
    # What it told before, it need not tell again.
    running["status"] = "FINISHED"
    workspace.statements = [ran(age=-HOUR), running]

    found = history.read(NOW + HOUR)
    history.read(NOW + HOUR)

    assert [it.status for it in found].count("finished") == 3
    starts = [int(it["filter_by.query_start_time_range.start_time_ms"]) for it in workspace.asked]
    ages = [round(NOW.timestamp()) - it // 1000 for it in starts]
    assert ages == [24 * 3600, 3 * 3600, 0]


def test_statements_of_the_day_before_are_counted_no_longer(
    workspace: Workspace, history: QueryHistory
) -> None:
    workspace.statements = [ran(age=HOUR), ran(age=23 * HOUR)]
    assert len(history.read(NOW)) == 2

    assert len(history.read(NOW + 2 * HOUR)) == 1


def test_bytes_that_the_workspace_does_not_tell_are_not_zero(
    workspace: Workspace, history: QueryHistory
) -> None:
    statement = ran()
    del statement["metrics"]
    workspace.statements = [statement]

    found = values([*statement_samples(history.read(NOW))])

    assert {name for name, _, _ in found} == {"statements", "duration"}


@pytest.mark.parametrize(
    ("refusal", "says"),
    [
        pytest.param(MISSING_RIGHT, "a right is missing.*CAN USE.*CAN MONITOR", id="right"),
        pytest.param(
            Refusal(403, {"error_code": "403", "message": "Invalid access token."}),
            "the sign-in was refused. Renew DATABRICKS_TOKEN",
            id="token",
        ),
        pytest.param(
            Refusal(401, {"error_code": "UNAUTHENTICATED", "message": "no"}),
            "the sign-in was refused. Renew DATABRICKS_TOKEN",
            id="unauthenticated",
        ),
        pytest.param(
            Refusal(400, {"error_code": "INVALID_PARAMETER_VALUE", "message": f"no: {TOKEN}"}),
            "was not read \\(InvalidParameterValue\\)",
            id="other",
        ),
        pytest.param(BUSY, "was not read \\(TimeoutError\\)", id="too-many-requests"),
    ],
)
def test_a_refusal_says_in_a_line_what_is_missing_and_no_secret(
    workspace: Workspace, history: QueryHistory, refusal: Refusal, says: str
) -> None:
    workspace.refusals = [refusal] * 3

    with pytest.raises(WarehouseError, match=says) as caught:
        history.read(NOW)

    assert workspace.host in str(caught.value)
    assert "\n" not in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_a_workspace_that_is_busy_is_asked_again_after_the_time_that_it_names(
    workspace: Workspace,
) -> None:
    workspace.statements, workspace.refusals = [ran()], [BUSY]

    found = QueryHistory(workspace.settings().databricks, {}, retry_seconds=10).read(NOW)

    assert len(found) == 1
    assert len(workspace.asked) == 2


def test_it_is_asked_once_in_five_minutes_however_often_measurements_are_asked_for(
    workspace: Workspace,
) -> None:
    workspace.statements = [ran()]
    statements = refreshed_statements(workspace.settings(), 30)

    first, second = statements.samples(), statements.samples()

    assert first == second
    assert Sample(of.HISTORY_OF_DATABRICKS_UNREADABLE, 0) in first
    assert len(workspace.asked) == 1


def test_a_history_that_cannot_be_read_is_a_measurement_and_a_line_in_the_log(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.refusals = [MISSING_RIGHT]

    found = refreshed_statements(workspace.settings(), 30).samples()

    assert list(found) == [Sample(of.HISTORY_OF_DATABRICKS_UNREADABLE, 1)]
    (line,) = capsys.readouterr().err.splitlines()
    assert "a right is missing" in line
    assert TOKEN not in line


def test_nobody_waits_for_a_workspace_that_does_not_answer() -> None:
    answers = threading.Event()
    read = 0

    def slow() -> list[Sample]:
        nonlocal read
        read += 1
        answers.wait(60)
        return [Sample(of.STATEMENTS, read)]

    refreshed = Refreshed(slow, of.HISTORY_OF_DATABRICKS_UNREADABLE, 300, 0.01)

    assert [refreshed.samples(), refreshed.samples()] == [(), ()]
    answers.set()
    patient = Refreshed(slow, of.HISTORY_OF_DATABRICKS_UNREADABLE, 0, 60)
    assert [it.value for it in patient.samples()] == [2, 0]
    assert [it.value for it in patient.samples()] == [3, 0]
