"""A clock that is set back: later dates lie in the future then, and the newest state stays."""

import datetime as dt

import duckdb
import pytest

from lending_club_pipeline.config import clock
from lending_club_pipeline.contract.errors import RefusedDeliveryError
from tests.faults.histories import CUSTOMERS, VARIANTS, History, differences
from tests.workspaces import AS_OF, Workspace

BEFORE = AS_OF - dt.timedelta(days=1)
THEN = dt.datetime(BEFORE.year, BEFORE.month, BEFORE.day, 12, tzinfo=dt.UTC)


def _loaded_at(workspace: Workspace, day: dt.date) -> dt.datetime:
    with duckdb.connect(str(workspace.database), read_only=True) as connection:
        query = "select max(loaded_at) from delivered_files where as_of_date = ?"
        (loaded_at,) = connection.execute(query, [day]).fetchall()[0]
    assert isinstance(loaded_at, dt.datetime)
    return loaded_at


@pytest.mark.exhaustive
def test_a_clock_set_back_refuses_what_is_in_its_future_and_leaves_the_newest_state(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = History()

    def run(day: dt.date, variant: int) -> None:
        workspace.deliver(CUSTOMERS, VARIANTS[variant], day)
        history.delivered[day] = variant
        report = workspace.run(day)
        assert report.outcome == "success", report.message
        history.processed([day], is_forced=False)

    run(BEFORE, 0)
    run(AS_OF, 1)
    summary = workspace.output_bytes()["account_summary.csv"]
    right = _loaded_at(workspace, BEFORE)
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: THEN)

        with pytest.raises(RefusedDeliveryError, match=f"lies in the future .today is {BEFORE}"):
            workspace.run(AS_OF)
        run(BEFORE, 2)

    assert _loaded_at(workspace, BEFORE) == THEN.replace(tzinfo=None) < right
    assert workspace.output_bytes()["account_summary.csv"] == summary
    assert list(differences(history, workspace)) == []
    run(AS_OF, 3)
    assert list(differences(history, workspace)) == []
