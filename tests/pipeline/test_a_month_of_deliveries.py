"""A month of daily deliveries of a real bank, with a missing, a late and a restated day.

Accounts are opened and balances move as they did (tests/data/bank_time_series). What that data does
not have goes by a rule: some customers take or repay a loan, every fifth account is a checking
account, and each day an account or two are not delivered. The restated day comes without its latest
transactions first.
"""

import csv
import datetime as dt
import io

import pytest

from lending_club_pipeline.reconcile.ledger import read_ledger
from lending_club_pipeline.warehouse import choose_warehouse
from tests.data.bank_time_series.convert import balances
from tests.oracle import DEFAULT, Outcome, process, timelines
from tests.workspaces import Workspace

MONTH = dt.date(2026, 1, 1)
DAYS = [MONTH + dt.timedelta(days=n) for n in range(31)]
MISSING, LATE, RESTATED = DAYS[16], DAYS[8], DAYS[25]
HISTORIES = ("account_history", "customer_history")


def _table(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def files_of(day: dt.date, *, complete: bool = True) -> tuple[bytes, bytes]:
    """Return the two files of a day; `complete` says whether all transactions are known."""
    customers = [["CustomerID", "Name", "HasLoan"]]
    accounts = [["AccountID", "CustomerID", "Balance", "AccountType"]]
    known = balances(day, unknown=0 if complete else 3)
    for place, (account, balance) in enumerate(known.items()):
        has_loan = (place + day.day) % 29 < 3
        customers.append([str(account), f"Owner of {account}", "yes" if has_loan else "no"])
        if (place * 7 + day.day) % 61:
            kind = "Checking" if place % 5 == 0 else "Savings"
            accounts.append([f"CZ-{account}", str(account), str(balance), kind])
    return _table(customers), _table(accounts)


@pytest.fixture
def deliveries(workspace: Workspace) -> dict[dt.date, Outcome]:
    """Process the month in a mixed order; return what the oracle makes of each day."""
    found = {}

    def deliver(day: dt.date, *, complete: bool = True) -> None:
        files = files_of(day, complete=complete)
        workspace.deliver(*files, day)
        outcome = process(*files, day)
        assert isinstance(outcome, Outcome)
        found[day] = outcome

    def run(first: dt.date, last: dt.date, outcomes: set[str]) -> None:
        assert workspace.run_range(first, last).outcomes == outcomes

    for day in DAYS:
        if day not in (MISSING, LATE):
            deliver(day, complete=day != RESTATED)
    run(DAYS[0], DAYS[-1], {"success", "missing"})
    deliver(RESTATED)
    deliver(LATE)
    run(DAYS[0], DAYS[-1], {"success", "missing", "unchanged"})
    return found


@pytest.mark.exhaustive
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
