"""Days without a delivery and unusual volumes are warnings, and stand in the report."""

import datetime as dt

import pytest

from tests.workspaces import Workspace

FIRST = dt.date(2026, 1, 5)


@pytest.mark.exhaustive
def test_a_missing_day_and_an_unusual_volume_warn_and_stand_in_the_report(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Monday to Friday, then Tuesday: of the days between, only Monday is missing."""
    monkeypatch.setenv("DELIVERY_CALENDAR", "weekdays")
    days = [FIRST + dt.timedelta(days=at) for at in (0, 1, 2, 3, 4, 8)]
    for day in days:
        accounts = 10 if day != days[-1] else 12
        workspace.deliver(
            "1,Ada,yes\n", "".join(f"A{at},1,5.00,Savings\n" for at in range(accounts)), day
        )

    workspace.run_range(days[0], days[-1])

    page = (workspace.outputs / "report.html").read_text()
    assert "no day of DELIVERY_CALENDAR is missing. Found: 2026-01-12." in page
    assert "accounts.csv of 2026-01-13 has 12 records; usual are 9 to 11." in page
    assert page.count("! Warning") == 2
