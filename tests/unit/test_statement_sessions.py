"""How long a session of a SQL warehouse goes on trying."""

import pytest
import tenacity

from lending_club_pipeline.config.databricks import DatabricksSettings
from lending_club_pipeline.contract.errors import WarehouseError
from lending_club_pipeline.warehouse.databricks import statements
from lending_club_pipeline.warehouse.databricks.errors import TransientWarehouseError
from lending_club_pipeline.warehouse.databricks.statements import StatementSession

ADDRESS = DatabricksSettings(
    DATABRICKS_HOST="acme.cloud.databricks.com",
    DATABRICKS_HTTP_PATH="/sql/1",
    DATABRICKS_CATALOG="bank",
    DATABRICKS_SCHEMA="lending",
)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which passes only when somebody sleeps or a test says so."""
    passed = [0.0]

    def sleep(seconds: float) -> None:
        passed[0] += seconds

    monkeypatch.setattr(statements.time, "monotonic", lambda: passed[0])
    monkeypatch.setattr(tenacity.nap.time, "sleep", sleep)
    return passed


def test_a_statement_that_ran_for_an_hour_before_its_connection_was_cut_is_sent_again(
    now: list[float],
) -> None:
    outcomes: list[Exception | str] = [ConnectionResetError("reset"), "done"]

    def run_for_an_hour() -> str:
        now[0] += 3600
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    assert StatementSession(ADDRESS, "run").attempt(run_for_an_hour) == "done"


def test_patience_ends_and_pauses_grow(now: list[float]) -> None:
    attempts = []

    def fail() -> None:
        attempts.append(now[0])
        raise ConnectionResetError("reset")

    with pytest.raises(TransientWarehouseError, match="did not answer for 300 s"):
        StatementSession(ADDRESS, "run").attempt(fail)

    assert 300 <= now[0] <= 340
    assert 8 < len(attempts) < 40
    assert attempts[-1] - attempts[-2] > attempts[1] - attempts[0]


def test_a_permanent_fault_is_not_waited_for(now: list[float]) -> None:
    def fail() -> None:
        raise RuntimeError("[PERMISSION_DENIED] no")

    with pytest.raises(WarehouseError, match="a right is missing"):
        StatementSession(ADDRESS, "run").attempt(fail)

    assert now == [0.0]


def test_a_statement_is_not_sent_when_something_forbids_it() -> None:
    def forbid() -> None:
        raise WarehouseError("no")

    with pytest.raises(WarehouseError, match="no"):
        StatementSession(ADDRESS, "run", before_each=forbid).run("select 1")
