"""A delivery that moves further than allowed is published only when somebody approves it."""

import datetime as dt
from decimal import Decimal

import duckdb
import pytest

from lending_club_pipeline.config.settings import load_settings
from lending_club_pipeline.contract.errors import ApprovalError, ConfigurationError
from lending_club_pipeline.dbt_runner.invocation import build_arguments
from lending_club_pipeline.reconcile.approvals import approve
from lending_club_pipeline.reconcile.movements import read_movements
from lending_club_pipeline.warehouse import choose_warehouse
from tests.workspaces import AS_OF, Workspace

NEXT, LATE = AS_OF + dt.timedelta(days=1), AS_OF - dt.timedelta(days=1)
NOW = dt.datetime(2026, 2, 3, 14, 30, 15, tzinfo=dt.timezone(dt.timedelta(hours=2)))
LIMITS = "balance=10, accounts=5"
CUSTOMERS = "1,Ada,yes\n"


def accounts(*balances: str) -> str:
    return "".join(f"A{at},1,{it},Savings\n" for at, it in enumerate(balances))


def approve_next(workspace: Workspace, day: dt.date = NEXT, reason: str = "a merger") -> None:
    warehouse = choose_warehouse(workspace.settings())
    with warehouse.session():
        approve(warehouse, day, "Grace", reason, NOW)


def summary(workspace: Workspace) -> str:
    return (workspace.outputs / "account_summary.csv").read_text()


def test_a_delivery_is_held_until_somebody_approves_exactly_its_files(
    workspace: Workspace,
) -> None:
    """100.00 becomes 110.01, one cent more than ten percent."""
    workspace.deliver(CUSTOMERS, accounts("100.00"))
    workspace.deliver(CUSTOMERS, accounts("110.01"), NEXT)
    assert workspace.run(AS_OF, movement_limits=LIMITS).outcome == "success"
    published = workspace.output_bytes()
    with pytest.raises(ApprovalError, match="2026-01-31 is not held"):
        approve_next(workspace, AS_OF)
    with pytest.raises(ApprovalError, match="2026-02-01 was not processed yet"):
        approve_next(workspace, NEXT)

    report = workspace.run(NEXT, movement_limits=LIMITS)

    page = workspace.outputs / "held-2026-02-01.html"
    assert report.outcome == "held"
    assert report.message.startswith(
        "the delivery of 2026-02-01 moved against 2026-01-31: original balance +10.01 % "
        "(limit 10 %). Nothing was published"
    )
    assert str(page) in report.message
    assert "lending-club approve 2026-02-01 --reason" in report.message
    held = workspace.output_bytes()
    text = held.pop(page.name).decode()
    assert held == published
    assert "Held: it moved further than allowed" in text
    assert '<td class="number" data-label="Change">+10.01 %</td>' in text

    with pytest.raises(ApprovalError, match="needs a reason"):
        approve_next(workspace, reason=" ")
    approve_next(workspace)
    approve_next(workspace, reason="seen again")
    assert workspace.run(NEXT, movement_limits=LIMITS).outcome == "success"
    assert "1,A0,110.01,0.0150,1.65,111.66" in summary(workspace)
    assert not page.exists()
    report_page = (workspace.outputs / "report.html").read_text()
    for reason in ("a merger", "seen again"):
        assert f"Approved by Grace on 2026-02-03 at 12:30:15 UTC: {reason}" in report_page
    assert "Held:" not in report_page

    # A restated date is measured again.
    workspace.deliver(CUSTOMERS, accounts("111.00"), NEXT)
    assert workspace.run(NEXT, movement_limits=LIMITS).outcome == "held"
    warehouse = choose_warehouse(workspace.settings())
    with warehouse.session(read_only=True):
        movements = read_movements(warehouse, NEXT)
        kept = warehouse.fetch("select approved_by, reason from delivery_approvals")
    assert movements.approvals == ()
    assert [it.is_held for it in movements.measures] == [True, False, False, False]
    assert sorted(row["reason"] for row in kept) == ["a merger", "seen again"]


@pytest.mark.exhaustive
def test_a_held_day_of_a_backfill_leaves_the_others_as_they_are(workspace: Workspace) -> None:
    for day, balance in ((LATE, "100.00"), (AS_OF, "200.00"), (NEXT, "101.00")):
        workspace.deliver(CUSTOMERS, accounts(balance), day)

    report = workspace.run_range(LATE, NEXT, movement_limits=LIMITS)

    assert [day.outcome for day in report.days] == ["success", "held", "success"]
    assert "1,A0,101.00,0.0150,1.52,102.52" in summary(workspace)
    page = workspace.outputs / "held-2026-01-31.html"
    assert page.exists()
    # A run of another date publishes no held one.
    published = summary(workspace)
    assert workspace.run(LATE, movement_limits=LIMITS).outcome == "success"
    assert summary(workspace) == published
    assert page.exists()
    again = workspace.run_range(AS_OF, NEXT, movement_limits=LIMITS)
    assert [day.outcome for day in again.days] == ["held", "unchanged"]


@pytest.mark.exhaustive
def test_the_command_line_says_held_by_exit_code_4_and_approves(workspace: Workspace) -> None:
    workspace.deliver(CUSTOMERS, accounts("100.00"))
    workspace.deliver(CUSTOMERS, accounts("100.00", "100.00"), NEXT)
    assert workspace.run(AS_OF).outcome == "success"

    held = workspace.command("run", "--as-of", "2026-02-01", MOVEMENT_LIMITS=LIMITS)
    assert held.returncode == 4, held.stderr
    assert "Held: the delivery of 2026-02-01 moved against 2026-01-31" in held.stderr
    assert "savings accounts +100.00 % (limit 5 %)" in held.stderr

    approved = workspace.command("approve", "2026-02-01", "--reason", "it's so", "--by", "O'Hara")
    assert approved.returncode == 0, approved.stderr
    assert approved.stdout.startswith("Approved by O'Hara at ")

    with duckdb.connect(str(workspace.database), read_only=True) as connection:
        recorded = connection.execute(
            "select as_of_date, approved_by, reason from delivery_approvals"
        ).fetchall()
    assert recorded == [(NEXT, "O'Hara", "it's so")]


@pytest.mark.exhaustive
def test_without_limits_nothing_is_held_and_the_report_says_nothing_of_it(
    workspace: Workspace,
) -> None:
    workspace.deliver(CUSTOMERS, accounts("1.00"))
    workspace.deliver(CUSTOMERS, accounts("999.00"), NEXT)
    assert workspace.run(AS_OF).outcome == "success"

    assert workspace.run(NEXT).outcome == "success"
    assert "What moved" not in (workspace.outputs / "report.html").read_text()


@pytest.mark.parametrize(
    "text", ["balance", "balance=ten", "balance=-1", "loans=5", "accounts=1,accounts=2", "a=1.234"]
)
def test_limits_that_make_no_sense_are_named(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"MOVEMENT_LIMITS.*is not allowed"):
        load_settings({"movement_limits": text})


def test_limits_reach_dbt_as_a_variable() -> None:
    percents = load_settings(
        {"movement_limits": "accounts=5,balance=2.5,"}
    ).deliveries.movement_percents

    assert percents == {"balance": Decimal("2.5"), "accounts": Decimal(5)}
    arguments = build_arguments([AS_OF], movement_percents=percents)
    assert "{as_of_dates: ['2026-01-31'], movement_limits: {balance: '2.5', accounts: '5'}}" in (
        arguments
    )
