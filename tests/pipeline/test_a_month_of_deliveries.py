"""A month of daily deliveries of real bank customers, with a missing, a late and a restated day.

Balances are those of public bank data (tests/data/public_bank). The data has no days, so that they
move in a way of their own: each day some accounts gain or lose a tenth of a percent for each day of
the month, some customers take or repay a loan, and an account or two are closed for some days.
"""

import csv
import datetime as dt
import io
from decimal import Decimal

import pytest

from lending_club_pipeline.defs.automation.backfills import process_range
from lending_club_pipeline.defs.automation.closing_months import close_months
from lending_club_pipeline.outputs.closing import read_ledger
from lending_club_pipeline.warehouse import choose_warehouse
from tests.data.public_bank.convert import delivery
from tests.oracle import DEFAULT, Outcome, process, timelines
from tests.workspaces import Workspace

MONTH = dt.date(2026, 1, 1)
DAYS = [MONTH + dt.timedelta(days=n) for n in range(31)]
MISSING, LATE, RESTATED = DAYS[16], DAYS[8], DAYS[19]
HISTORIES = ("account_history", "customer_history")


def _table(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def files_of(day: dt.date, turn: int = 0) -> tuple[bytes, bytes]:
    """Return the two files of a day; another turn is another version of it."""
    raw_customers, raw_accounts = (
        list(csv.reader(io.StringIO(content.decode(), newline=""))) for content in delivery()
    )
    number = day.day + turn
    customers, accounts = [raw_customers[0]], [raw_accounts[0]]
    for place, (customer, name, loan) in enumerate(raw_customers[1:]):
        has_changed = (place + number) % 29 == 0
        customers.append(
            [customer, name, {"yes": "no", "no": "yes"}[loan] if has_changed else loan]
        )
    for place, (account, customer, balance, kind) in enumerate(raw_accounts[1:]):
        if (place * 7 + number) % 61 == 0:
            continue
        moved = Decimal(balance)
        if (place * 11 + number) % 13 == 0:
            moved = (moved * (1 + Decimal(number) / 1000)).quantize(Decimal("0.01"))
        accounts.append([account, customer, str(moved), "Checking" if place % 5 == 0 else kind])
    return _table(customers), _table(accounts)


@pytest.fixture
def deliveries(workspace: Workspace) -> dict[dt.date, Outcome]:
    """Process the month in a mixed order; return what the oracle makes of each day."""
    found = {}

    def deliver(day: dt.date, turn: int = 0) -> None:
        files = files_of(day, turn)
        workspace.deliver(*files, day)
        outcome = process(*files, day)
        assert isinstance(outcome, Outcome)
        found[day] = outcome

    def run(first: dt.date, last: dt.date, outcomes: set[str]) -> None:
        settings = workspace.settings()
        report = process_range(settings, first, last, workspace.messages.append)
        assert {day.outcome for day in report.days} == outcomes
        closed = close_months(settings, report.processed, workspace.messages.append)
        assert closed is None or closed.outcome == "success"

    for day in DAYS:
        if day not in (MISSING, LATE):
            deliver(day)
    run(DAYS[0], DAYS[-1], {"success", "missing"})
    deliver(RESTATED, turn=3)
    deliver(LATE)
    run(DAYS[0], DAYS[-1], {"success", "missing", "unchanged"})
    return found


def test_history_ledger_and_summaries_are_those_of_the_oracle(
    workspace: Workspace, deliveries: dict[dt.date, Outcome]
) -> None:
    warehouse = choose_warehouse(workspace.settings())
    expected = {
        "account_history": timelines.account_history(deliveries),
        "customer_history": timelines.customer_history(deliveries),
        "delivery_changes": timelines.delivery_changes(deliveries, DEFAULT),
        "customer_profile": timelines.customer_profile(deliveries, DEFAULT),
        "account_summary_monthly": timelines.account_summary_monthly(deliveries, DEFAULT, {MONTH}),
    }
    assert len(deliveries) == 30
    with warehouse.session(read_only=True):
        for model, rows in expected.items():
            found = [tuple(row.values()) for row in warehouse.fetch(f"select * from {model}")]
            assert set(found) == rows, model
            assert len(found) == len(rows), model
        for day, outcome in deliveries.items():
            ledger = read_ledger(warehouse, day)
            assert ledger is not None
            assert ledger.is_closed
            assert {
                key: (
                    it.row_count,
                    None if it.balance is None else int(it.balance.scaleb(2)),
                    it.balance_unknown,
                )
                for key, it in ledger.entries.items()
            } == outcome.ledger, day
            published = warehouse.fetch(
                "select customer_id, account_id, original_balance, interest_rate, annual_interest, "
                "new_balance from account_summary_daily where as_of_date = ? order by account_id",
                [day],
            )
            summary = list(csv.reader(io.StringIO(outcome.account_summary_csv.decode())))[1:]
            assert [[str(it) for it in row.values()] for row in published] == summary, day
    newest = deliveries[DAYS[-1]]
    assert workspace.output_bytes()["account_summary.csv"] == newest.account_summary_csv
    assert workspace.output_bytes()["quarantine.csv"] == newest.quarantine_csv
