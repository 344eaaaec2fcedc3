"""`lending-club diff`: what changed between two deliveries, by kind, and that it adds up."""

import csv
import dataclasses
import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from lending_club_pipeline.cli import cli
from lending_club_pipeline.explanations.differences import (
    Differences,
    Moved,
    NotComparableError,
    find_differences,
    write_differences,
)
from lending_club_pipeline.warehouse import Warehouse, choose_warehouse
from tests.workspaces import Workspace

EARLIER, LATER, NEVER = dt.date(2026, 2, 3), dt.date(2026, 2, 4), dt.date(2026, 2, 2)
CUSTOMERS_BEFORE = "1,Ada,No\n2,Grace,Yes\n3,Edsger,No\n"
CUSTOMERS_AFTER = "1,Ada,No\n2,Grace,No\n3,Edsger,No\n"
ACCOUNTS_BEFORE = """\
same,1,100,Savings
gone,1,200,Savings
more,1,300,Savings
tier,1,9999.99,Savings
loan,2,1000,Savings
type,1,500,Savings
sold,1,600,Checking
soon,1,700,Savings
back,1,-1,Savings
"""
ACCOUNTS_AFTER = """\
same,1,100.00,Savings
new,3,50,Checking
more,1,300.01,Savings
tier,1,10000,Savings
loan,2,1000,Savings
type,1,500,Checking
sold,3,600,Checking
soon,1,x,Savings
back,1,800,Savings
"""


def money(*texts: str) -> list[Decimal]:
    return [Decimal(text) for text in texts]


# Balance before and after, interest before and after.
EXPECTED = {
    "opened": Moved(1, *money("0.00", "50.00", "0.00", "0.00")),
    "closed": Moved(1, *money("200.00", "0.00", "2.00", "0.00")),
    "quarantined": Moved(1, *money("700.00", "0.00", "7.00", "0.00")),
    "released": Moved(1, *money("0.00", "800.00", "0.00", "8.00")),
    # A cent more each; the tier changes with it for one: 1 % of 9,999.99, 1.5 % of 10,000.
    "balance_changed": Moved(2, *money("10299.99", "10300.01", "103.00", "153.00")),
    "loan_flag_changed": Moved(1, *money("1000.00", "1000.00", "15.00", "10.00")),
    "tier_changed": Moved(1, *money("9999.99", "10000.00", "100.00", "150.00")),
    "type_changed": Moved(1, *money("500.00", "500.00", "5.00", "0.00")),
    "owner_changed": Moved(1, *money("600.00", "600.00", "0.00", "0.00")),
}


@pytest.fixture(scope="module")
def processed(new_workspace: Callable[[str], Workspace]) -> Workspace:
    workspace = new_workspace("differences")
    workspace.deliver(CUSTOMERS_BEFORE, ACCOUNTS_BEFORE, EARLIER)
    workspace.deliver(CUSTOMERS_AFTER, ACCOUNTS_AFTER, LATER)
    assert workspace.run_range(EARLIER, LATER).outcomes == {"success"}
    return workspace


def warehouse_of(workspace: Workspace) -> Warehouse:
    return choose_warehouse(workspace.settings())


def differences(workspace: Workspace, *dates: dt.date, limit: int = 9) -> Differences:
    warehouse = warehouse_of(workspace)
    with warehouse.session(read_only=True):
        return find_differences(warehouse, *dates, limit)


def test_an_account_counts_for_each_kind_of_its_changes(processed: Workspace) -> None:
    found = differences(processed, EARLIER, LATER)

    assert found.by_kind == EXPECTED
    assert list(found.by_kind) == [it for it in EXPECTED if it in found.by_kind]


def test_the_total_counts_each_account_once_and_is_the_difference_of_the_ledgers(
    processed: Workspace,
) -> None:
    found = differences(processed, EARLIER, LATER)

    assert found.total.accounts == 9
    assert found.adds_up
    # 100 + 200 + 300 + 9,999.99 + 1,000 + 500 + 600 + 700, and what there is afterwards.
    assert found.balance_before == Decimal("13399.99")
    assert found.balance_after == Decimal("13350.01")
    moved = found.total.balance_after - found.total.balance_before
    assert moved == Decimal("-49.98")


def test_the_order_of_the_dates_does_not_matter(processed: Workspace) -> None:
    assert differences(processed, LATER, EARLIER) == differences(processed, EARLIER, LATER)


def test_examples_are_the_largest_changes(processed: Workspace) -> None:
    found = differences(processed, EARLIER, LATER, limit=1)

    assert {len(rows) for rows in found.examples.values()} == {1}
    assert found.examples["quarantined"][0]["quarantine_reasons"] == "balance_not_a_number"
    assert found.examples["balance_changed"][0]["account_id"] == "more"


def test_every_account_is_written(processed: Workspace, tmp_path: Path) -> None:
    warehouse = warehouse_of(processed)
    with warehouse.session(read_only=True):
        rows = write_differences(warehouse, EARLIER, LATER, tmp_path / "it.csv")

    written = list(csv.DictReader((tmp_path / "it.csv").open()))
    assert rows == len(written) == 9
    assert {row["account_id"]: row["change_kinds"] for row in written} == {
        "back": "released",
        "gone": "closed",
        "loan": "loan_flag_changed",
        "more": "balance_changed",
        "new": "opened",
        "sold": "owner_changed",
        "soon": "quarantined",
        "tier": "balance_changed;tier_changed",
        "type": "type_changed",
    }


def test_the_command_tells_it(processed: Workspace, tmp_path: Path) -> None:
    arguments = ["diff", str(EARLIER), str(LATER), "--csv", str(tmp_path / "it.csv")]

    result = CliRunner().invoke(cli, arguments, env=processed.variables())

    assert result.exit_code == 0, result.output
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    assert "closed 1 200.00 0.00 -200.00 2.00 0.00 -2.00" in lines
    assert (
        "tier: balance 9,999.99 → 10,000.00, interest 100.00 → 150.00, rate 0.0100 → 0.0150"
        in lines
    )
    assert any(line.startswith("It adds up: the ledgers know 8 accounts with") for line in lines)
    assert any(line.endswith("it.csv: 9 accounts") for line in lines)


def test_the_command_tells_of_one_account(processed: Workspace) -> None:
    arguments = ["diff", str(EARLIER), str(LATER), "--account", "loan"]

    result = CliRunner().invoke(cli, arguments, env=processed.variables())

    assert result.exit_code == 0
    assert "interest 15.00 → 10.00, rate 0.0150 → 0.0100, loan Yes → No" in result.output
    assert "gone" not in result.output


@pytest.mark.parametrize(
    ("dates", "message"),
    [((EARLIER, NEVER), "2026-02-02 was not processed"), ((LATER, LATER), "with itself")],
)
def test_dates_that_cannot_be_compared_are_named(
    processed: Workspace, dates: tuple[dt.date, dt.date], message: str
) -> None:
    with pytest.raises(NotComparableError, match=message):
        differences(processed, *dates)


def test_interest_and_accounts_add_up_too(processed: Workspace) -> None:
    found = differences(processed, EARLIER, LATER)

    # 1 + 2 + 3 + 100 + 15 + 5 + 7 of savings accounts; then 1 + 3 + 150 + 10 + 8.
    assert (found.interest_before, found.interest_after) == (Decimal("133.00"), Decimal("172.00"))
    assert (found.came, found.went) == (2, 2)
    for wrong in ({"interest_after": Decimal("172.01")}, {"joined_after": 9}):
        assert not dataclasses.replace(found, **wrong).adds_up


def test_a_date_whose_quarantined_records_are_no_longer_kept_is_not_compared(
    processed: Workspace,
) -> None:
    mart = "quarantined_records"
    warehouse = warehouse_of(processed)
    of_the_date = f"from {mart} where as_of_date = date '{EARLIER}'"
    with warehouse.session():
        warehouse.fetch(f"create table set_aside as select * {of_the_date}")
        warehouse.fetch(f"delete {of_the_date}")
        try:
            with pytest.raises(NotComparableError, match=f"{mart} holds 0 of the"):
                find_differences(warehouse, EARLIER, LATER, 1)
        finally:
            warehouse.fetch(f"insert into {mart} from set_aside")
            warehouse.fetch("drop table set_aside")


def test_an_account_that_nobody_delivered_is_an_error(processed: Workspace) -> None:
    arguments = ["diff", str(EARLIER), str(LATER), "--account"]

    slip, same = (
        CliRunner().invoke(cli, [*arguments, account], env=processed.variables())
        for account in ("SAME", "same")
    )

    assert isinstance(slip.exception, NotComparableError)
    assert "no account 'SAME'" in str(slip.exception)
    assert same.exit_code == 0
    assert "Account same did not change." in same.output
