"""Histories and what is made of them, against an independent oracle, in any order of deliveries."""

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from lending_club_pipeline.config.clock import Today
from lending_club_pipeline.dbt_runner.invocation import (
    NodeResult,
    build_arguments,
    month_arguments,
    run_dbt,
)
from lending_club_pipeline.dbt_runner.manifest import PreparedManifest, prepare_manifest
from lending_club_pipeline.ingest.deliveries.discovery import find_delivery
from lending_club_pipeline.ingest.landing import SplitterLimits, land
from lending_club_pipeline.warehouse import Warehouse, choose_warehouse
from tests.oracle import Outcome, Rates, process, timelines
from tests.workspaces import Workspace

RATES = Rates(
    tiers=(
        (dt.date(1900, 1, 1), Decimal(0), Decimal("0.0100")),
        (dt.date(1900, 1, 1), Decimal(10_000), Decimal("0.0150")),
        (dt.date(1900, 1, 1), Decimal(20_000), Decimal("0.0200")),
        (dt.date(2026, 2, 3), Decimal(0), Decimal("0.0125")),
        (dt.date(2026, 2, 3), Decimal(15_000), Decimal("0.0225")),
    ),
    bonuses=(
        (dt.date(1900, 1, 1), Decimal("0.0050")),
        (dt.date(2026, 2, 2), Decimal("0.0075")),
    ),
)
MODELS = ("delivery_changes", "customer_profile")
MONTHS = ("2026-01-01", "2026-02-01", "2026-03-01")
TODAY = dt.date(2026, 12, 31)
JANUARY_30, JANUARY_31 = dt.date(2026, 1, 30), dt.date(2026, 1, 31)


def february(day: int) -> dt.date:
    return dt.date(2026, 2, day)


@dataclass
class Bank:
    """Deliveries that are drawn by chance, what the pipeline makes of them, and what it must."""

    workspace: Workspace
    prepared: PreparedManifest
    warehouse: Warehouse
    chance: random.Random
    outcomes: dict[dt.date, Outcome] = field(default_factory=dict)

    def deliver(self, date: dt.date, customers: str, accounts: str) -> None:
        """Land a delivery, in the place of one that was there."""
        folder = self.workspace.deliver(customers, accounts, date)
        found = find_delivery(self.workspace.inputs, date, Today(TODAY))
        landing = self.workspace.settings().landing
        limits = SplitterLimits(memory_bytes=2**28, threads=1)
        land(found, landing, limits, dt.datetime.now(dt.UTC), lambda _: None)
        self.warehouse.load_raw(landing, date)
        outcome = process(
            (folder / "Customer.csv").read_bytes(), (folder / "accounts.csv").read_bytes(), date,
            RATES,
        )  # fmt: skip
        assert isinstance(outcome, Outcome)
        self.outcomes[date] = outcome

    def draw(self, date: dt.date) -> None:
        """Deliver some of few keys, in one of few states: many come back to what they were."""
        self.deliver(date, "".join(self._customers()), "".join(self._accounts()))

    def _customers(self) -> Iterator[str]:
        for customer in range(1, 21):
            if self.chance.random() < 0.85:
                name = self.chance.choice(("Ada", "Ada", "Grace", ""))
                loan = self.chance.choice(("yes", "no", "no", "none", "?"))
                yield f"{customer},{name},{loan}\n"

    def _accounts(self) -> Iterator[str]:
        for account in range(1, 151):
            if self.chance.random() < 0.8:
                owner = (account + self.chance.choice((0, 0, 0, 0, 5))) % 22 + 1
                balance = self.chance.choice(
                    ("9999.99", "9999.99", "10000.00", "15000", "20000.01", "0.33", "-1", "1e15")
                )
                kind = self.chance.choice(("Savings", "Savings", "Savings", "Checking"))
                yield f"A{account},{owner},{balance},{kind}\n"

    def build(self, dates: Sequence[dt.date]) -> None:
        """Process the deliveries of some dates by one call of dbt, with the tests of its models."""
        selected = build_arguments(dates, [f"+{it}" for it in MODELS])
        self._dbt([*selected, "--indirect-selection", "cautious"])

    def close_months(self) -> None:
        """Compute the month-ends."""
        self._dbt(month_arguments([dt.date.fromisoformat(it) for it in MONTHS]))

    def _dbt(self, arguments: Sequence[str]) -> None:
        nodes: list[NodeResult] = run_dbt(
            self.prepared, arguments, self.warehouse.dbt_environment(), lambda *_: None
        )
        self.warehouse.disconnect_dbt()
        assert nodes != []
        assert [(it.unique_id, it.message) for it in nodes if it.is_failed] == []

    def rows(self, model: str) -> list[tuple[object, ...]]:
        return [tuple(row.values()) for row in self.warehouse.fetch(f"select * from {model}")]


@pytest.fixture
def bank(workspace: Workspace, project: Path, tmp_path: Path) -> Iterator[Bank]:
    """A bank that changes its rates on 2 and 3 February, in a process that stays warm."""
    (project / "seeds/interest_rate_tiers.csv").write_text(
        "effective_date,lower_bound,annual_base_rate\n"
        + "".join(f"{date},{bound},{rate}\n" for date, bound, rate in RATES.tiers)
    )
    (project / "seeds/loan_bonus_rates.csv").write_text(
        "effective_date,annual_bonus_rate\n"
        + "".join(f"{date},{rate}\n" for date, rate in RATES.bonuses)
    )
    warehouse = choose_warehouse(workspace.settings())
    prepared = prepare_manifest(warehouse.dbt_environment(), tmp_path / "cache")
    with warehouse.session():
        yield Bank(workspace, prepared, warehouse, random.Random(20260131))


def assert_as_the_oracle_says(bank: Bank) -> None:
    expected = {
        "account_history": timelines.account_history(bank.outcomes),
        "customer_history": timelines.customer_history(bank.outcomes),
        "delivery_changes": timelines.delivery_changes(bank.outcomes, RATES),
        "customer_profile": timelines.customer_profile(bank.outcomes, RATES),
    }
    for model, rows in expected.items():
        assert_same(bank, model, rows)


def assert_same(bank: Bank, model: str, expected: set[tuple[object, ...]]) -> None:
    found = bank.rows(model)
    assert set(found) == expected, model
    assert len(found) == len(expected), f"{model} has rows twice"


# Each list is one run: the first day, the next, one after a gap, a late one in the gap, one again
# (of which the next day is not the day after), one before all, two at once, and all sorts at once.
RUNS = (
    [february(1)],
    [february(2)],
    [february(5)],
    [february(3)],
    [february(2)],
    [february(5)],
    [JANUARY_30],
    [february(7), february(8)],
    [february(4), february(1), february(9), JANUARY_31],
)
# The first day, one after a gap, a late one in the gap, and all sorts of runs at once.
FEWER_RUNS = (
    [february(1)],
    [february(5)],
    [february(3)],
    [february(4), february(1), february(5), february(9), february(8), JANUARY_30, JANUARY_31],
)


@pytest.mark.parametrize(
    "runs",
    [
        pytest.param(RUNS, marks=pytest.mark.exhaustive, id="one after the other"),
        pytest.param(FEWER_RUNS, id="several at once"),
    ],
)
def test_deliveries_in_any_order_end_as_the_oracle_says(
    bank: Bank, runs: Sequence[Sequence[dt.date]]
) -> None:
    for dates in runs:
        for date in dates:
            bank.draw(date)
        bank.build(dates)
        assert_as_the_oracle_says(bank)

    bank.close_months()

    months = {dt.date.fromisoformat(it) for it in MONTHS}
    expected = timelines.account_summary_monthly(bank.outcomes, RATES, months)
    assert_same(bank, "account_summary_monthly", expected)
    assert {row[0] for row in expected} == {dt.date(2026, 1, 1), dt.date(2026, 2, 1)}
    assert any(row[4] == 0 and row[6] for row in expected), "no account was closed with interest"


@pytest.mark.exhaustive
def test_a_history_that_begins_with_many_days_is_that_of_one_day_after_the_other(
    bank: Bank,
) -> None:
    dates = [february(day) for day in (6, 1, 4, 2, 3)]
    for date in dates:
        bank.draw(date)

    bank.build(dates)

    assert_as_the_oracle_says(bank)
