"""`make bench` compares the same records in several orders."""

from pathlib import Path

import pytest
from bench.orders import Order, reorder

_CUSTOMERS = ["CustomerID,Name,HasLoan", "9,Ann,Yes", "10,Bob,No", "2,Cy,None"]
_ACCOUNTS = ["AccountID,CustomerID,Balance,AccountType"] + [
    f"A{at},9,{at}.00,Savings" for at in (3, 1, 2)
]


@pytest.mark.parametrize("order", ["sorted", "random"])
def test_the_records_are_the_same_in_another_order(tmp_path: Path, order: Order) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    for name, lines in (("Customer.csv", _CUSTOMERS), ("accounts.csv", _ACCOUNTS)):
        (source / name).write_text("\n".join(lines) + "\n")

    reorder(source, target, order)

    customers = (target / "Customer.csv").read_text().splitlines()
    accounts = (target / "accounts.csv").read_text().splitlines()
    assert customers[0] == _CUSTOMERS[0]
    assert accounts[0] == _ACCOUNTS[0]
    assert sorted(customers) == sorted(_CUSTOMERS)
    assert sorted(accounts) == sorted(_ACCOUNTS)
    if order == "sorted":
        assert [it.split(",")[0] for it in customers[1:]] == ["2", "9", "10"]
        assert [it.split(",")[0] for it in accounts[1:]] == ["A1", "A2", "A3"]
