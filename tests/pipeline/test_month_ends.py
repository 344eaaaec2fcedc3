"""When a month is closed, and that it is closed again when one of its days changes."""

import datetime as dt
from decimal import Decimal

import dagster as dg
import duckdb
import pytest

from lending_club_pipeline.defs.instance import opened_history
from lending_club_pipeline.defs.partitions import monthly_partitions
from lending_club_pipeline.runs.plan import months_due
from tests.workspaces import Workspace

CUSTOMERS = "1,Ada,No\n"
JANUARY, FEBRUARY = dt.date(2026, 1, 1), dt.date(2026, 2, 1)


def days(*texts: str) -> list[dt.date]:
    return [dt.date.fromisoformat(f"2026-{text}") for text in texts]


@pytest.mark.parametrize(
    ("processed", "known", "months"),
    [
        pytest.param(["01-30"], ["01-30"], [], id="not over"),
        pytest.param(["01-31"], ["01-31"], [JANUARY], id="last day"),
        pytest.param(["02-03"], ["01-30", "02-03"], [JANUARY], id="first delivery of the next"),
        pytest.param(["01-30"], ["01-30", "02-03"], [JANUARY], id="restated afterwards"),
        pytest.param(
            ["01-30", "02-27", "03-02"],
            ["01-30", "02-27", "03-02"],
            [JANUARY, FEBRUARY],
            id="backfill of three months",
        ),
        pytest.param(["01-31"], [], [], id="no ledger closes"),
    ],
)
def test_a_month_is_closed_when_it_is_over_or_changed(
    processed: list[str], known: list[str], months: list[dt.date]
) -> None:
    assert months_due(days(*processed), set(days(*known)), set()) == months


def test_a_month_is_not_closed_twice_unless_one_of_its_days_changed() -> None:
    known, closed = set(days("01-30", "02-03", "02-04")), set(days("01-30"))

    assert months_due(days("02-04"), known, closed) == []
    assert months_due(days("02-04"), known, set()) == [JANUARY]
    assert months_due(days("01-30"), known, closed) == [JANUARY]
    # A late day became its last delivery.
    assert months_due(days("01-31"), known | set(days("01-31")), closed) == [JANUARY]


def run(workspace: Workspace, day: str, balance: str) -> None:
    (date,) = days(day)
    workspace.deliver(CUSTOMERS, f"A,1,{balance},Savings\n", date)
    report = workspace.run(date)
    assert report.outcome == "success", report.message


def month_ends(workspace: Workspace) -> list[tuple[object, ...]]:
    with duckdb.connect(str(workspace.database), read_only=True) as connection:
        return connection.execute(
            "select month, as_of_date, balance, accrued_interest from account_summary_monthly"
        ).fetchall()


@pytest.mark.exhaustive
def test_interest_accrues_by_the_day_until_the_last_delivery_of_the_month(
    workspace: Workspace,
) -> None:
    (first, last) = days("01-22", "01-31")
    run(workspace, "01-22", "3650")
    run(workspace, "01-31", "7300")

    # 1 % a year: 0.10 a day from the 22nd through the 30th, and 0.20 on the 31st.
    assert month_ends(workspace) == [(JANUARY, last, Decimal("7300.00"), Decimal("1.10"))]

    run(workspace, "01-22", "36500.00")

    # 2 % of ten times as much: 2.00 a day on nine days.
    assert month_ends(workspace) == [(JANUARY, last, Decimal("7300.00"), Decimal("18.20"))]
    with opened_history(workspace.settings()) as instance:
        closed = instance.get_materialized_partitions(dg.AssetKey("account_summary_monthly"))
    assert closed == {"2026-01-01"}
    assert first < last


@pytest.mark.exhaustive
def test_a_month_can_be_closed_by_hand(workspace: Workspace) -> None:
    run(workspace, "02-10", "3650")

    done = workspace.command("close-month", "2026-02")

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == (
        "account_summary_monthly holds 2026-02 as of 2026-02-10, the only one of the month's "
        "deliveries that are processed."
    )
    (last,) = days("02-10")
    assert month_ends(workspace) == [(FEBRUARY, last, Decimal("3650.00"), Decimal("0.10"))]


def test_without_a_history_there_is_no_month_to_close(workspace: Workspace) -> None:
    done = workspace.command("close-month", "2026-02")

    assert done.returncode == 1
    assert "Process a delivery first." in done.stderr


def test_a_month_without_a_delivery_cannot_be_closed(processed_workspace: Workspace) -> None:
    before = month_ends(processed_workspace)

    done = processed_workspace.command("close-month", "2026-03")

    assert done.returncode == 1
    assert "No processed delivery lies in 2026-03; the newest is of 2026-01-31." in done.stderr
    assert {row[0] for row in before} == {JANUARY}
    assert month_ends(processed_workspace) == before


def test_the_current_month_has_a_partition() -> None:
    today = dt.datetime.now(dt.UTC).date()

    keys = monthly_partitions(dt.date(2026, 1, 15), "UTC").get_partition_keys()

    assert keys[0] == "2026-01-01"
    assert keys[-1] == today.replace(day=1).isoformat()
