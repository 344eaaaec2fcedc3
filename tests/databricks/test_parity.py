"""The same deliveries on both engines, one after the other: everything they make is the same."""

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from databricks_stand_in.client import WarehouseClient
from lending_club_pipeline.config.settings import DataPlatformConfig, load_settings
from lending_club_pipeline.explanations.differences import find_differences, write_differences
from lending_club_pipeline.parity.comparison import Comparer
from lending_club_pipeline.parity.engines import BothEngines, Parity, both_engines
from lending_club_pipeline.present.terminal import print_parity
from lending_club_pipeline.publish.output_files import OUTPUT_FILES
from lending_club_pipeline.reconcile.ledger import read_ledger
from lending_club_pipeline.warehouse import choose_warehouse
from tests.databricks.parity_deliveries import (
    DAY,
    DAY_BEFORE,
    LATE_DAY,
    Files,
    Step,
    steps,
)
from tests.dirt import BOUNDARIES
from tests.oracle import Outcome, process

pytestmark = pytest.mark.exhaustive

STEPS = (
    "a day without savings",
    "a late day, that day again, and one with every kind of dirt",
)
RELATIONS = {
    *("customers_raw", "accounts_raw", "rejected_records", "delivered_files"),
    *("interest_rate_tiers", "loan_bonus_rates"),
    *("quarantine_reasons", "ledger_stages", "change_kinds"),
    *("base_customers", "base_accounts", "stg_customers__cleaned", "stg_accounts__cleaned"),
    *("int_accounts__with_customer", "int_accounts__without_customer"),
    *("int_interest_rates__by_period", "int_interest_rates__in_force"),
    "int_savings_accounts_only",
    *("account_summary", "account_summary_by_tier", "account_summary_daily"),
    *("account_history", "customer_history", "customer_profile"),
    *("account_summary_monthly", "account_changes", "delivery_changes", "account_interest"),
    *("delivery_ledger", "quarantined_records"),
    *("int_deliveries_measured", "delivery_movements", "publishable_deliveries"),
    "delivery_approvals",
}


LedgerCells = dict[tuple[str, str], tuple[int, int | None, int | None]]


@dataclass(frozen=True)
class Processed:
    """What both engines made of deliveries: outputs and ledgers by engine, and what is right.

    Attributes:
        step: the deliveries.
        parity: the verdict; only files are compared of what later deliveries change again.
        outputs: the published files by engine.
        ledgers: by engine and date.
        oracle: by date.
    """

    step: Step
    parity: Parity
    outputs: dict[str, dict[str, bytes]]
    ledgers: dict[str, dict[dt.date, LedgerCells]]
    oracle: dict[dt.date, Outcome]

    @property
    def newest(self) -> Outcome:
        """What is right for the newest day, which is the one that is published."""
        return self.oracle[max(self.oracle)]


@contextmanager
def _only_these(environment: dict[str, str], folder: Path) -> Iterator[None]:
    """Variables of the shell and an `.env` file must not decide what a test does."""
    with pytest.MonkeyPatch.context() as patch:
        for name in DataPlatformConfig.variables():
            patch.delenv(name, raising=False)
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.chdir(folder)
        yield


@pytest.fixture(scope="module")
def engines(
    shared_warehouse: WarehouseClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BothEngines]:
    """Two pipelines in a fresh state."""
    folder = tmp_path_factory.mktemp("parity")
    (folder / "inputs").mkdir()
    with _only_these(shared_warehouse.environment, folder):
        settings = load_settings({"input_path": folder / "inputs"})
        with both_engines(settings, folder) as engines:
            yield engines


@pytest.fixture(scope="module")
def processed(engines: BothEngines) -> dict[str, Processed]:
    """All deliveries, processed by both engines in their order and compared after each run."""
    found = {}
    for step in steps(engines.folder / "generated"):
        for date, files in step.deliveries.items():
            _deliver(engines, date, files)
        engines.process(max(step.deliveries), min(step.deliveries))
        found[step.name] = Processed(
            step,
            engines.compare() if step.name == STEPS[-1] else Parity((), engines.compare_files()),
            {engine: _outputs(side) for engine, side in engines.sides.items()},
            {engine: _ledgers(side, step.deliveries) for engine, side in engines.sides.items()},
            {date: _right(date, files) for date, files in step.deliveries.items()},
        )
    return found


def _deliver(engines: BothEngines, date: dt.date, files: Files) -> None:
    folder = engines.folder / "inputs" / date.isoformat()
    folder.mkdir(exist_ok=True)
    for name, content in zip(("Customer.csv", "accounts.csv"), files, strict=True):
        (folder / name).write_bytes(content)


def _right(date: dt.date, files: Files) -> Outcome:
    outcome = process(*files, date)
    assert isinstance(outcome, Outcome)
    return outcome


def _outputs(side: DataPlatformConfig) -> dict[str, bytes]:
    return {name: (side.outputs.path / name).read_bytes() for name in OUTPUT_FILES}


def _ledgers(side: DataPlatformConfig, dates: Iterable[dt.date]) -> dict[dt.date, LedgerCells]:
    warehouse = choose_warehouse(side)
    with warehouse.session(read_only=True):
        ledgers = {date: read_ledger(warehouse, date) for date in dates}
    found = {}
    for date, ledger in ledgers.items():
        assert ledger is not None
        assert ledger.is_closed
        found[date] = {
            key: (it.row_count, _cents(it.balance), it.balance_unknown)
            for key, it in ledger.entries.items()
        }
    return found


def _cents(balance: Decimal | None) -> int | None:
    return None if balance is None else int(balance.scaleb(2))


def test_every_model_has_the_same_rows_and_types(
    processed: dict[str, Processed], capsys: pytest.CaptureFixture[str]
) -> None:
    parity = processed[STEPS[-1]].parity

    print_parity(parity)
    assert {it.name for it in parity.models} == RELATIONS
    assert [it.name for it in parity.models if not it.is_equal] == [], capsys.readouterr().out


@pytest.mark.parametrize("step", STEPS)
def test_every_output_has_the_same_bytes(processed: dict[str, Processed], step: str) -> None:
    outputs = processed[step].outputs

    assert set(processed[step].parity.files) == set(OUTPUT_FILES)
    for name in OUTPUT_FILES:
        assert outputs["duckdb"][name] == outputs["databricks"][name], name
        assert processed[step].parity.files[name], name


@pytest.mark.parametrize("step", STEPS)
def test_databricks_accounts_for_every_record_and_cent_as_the_oracle_does(
    processed: dict[str, Processed], step: str
) -> None:
    right = {date: outcome.ledger for date, outcome in processed[step].oracle.items()}

    assert processed[step].ledgers["databricks"] == right


@pytest.mark.parametrize("step", STEPS)
def test_databricks_publishes_what_the_oracle_says(
    processed: dict[str, Processed], step: str
) -> None:
    outputs, oracle = processed[step].outputs["databricks"], processed[step].newest

    assert outputs["quarantine.csv"] == oracle.quarantine_csv
    assert outputs["account_summary.csv"] == oracle.account_summary_csv


def test_the_deliveries_hold_what_they_are_there_for(processed: dict[str, Processed]) -> None:
    first, last = (processed[step] for step in STEPS)
    dirty = last.newest

    published = {(row[2], row[3]) for row in _read_csv(dirty.account_summary_csv)}
    for balance, rates in zip(BOUNDARIES, _RATES, strict=True):
        assert {rate for amount, rate in published if amount == balance} == rates
    assert {reason for _, reason in dirty.reasons} == EVERY_REASON
    assert len(_read_csv(last.oracle[DAY_BEFORE].account_summary_csv)) > 200
    assert first.newest.account_summary_csv.count(b"\n") == 1


# Rates without and with a loan at each of the boundaries.
_LOWEST, _MIDDLE, _HIGHEST = {"0.0100", "0.0150"}, {"0.0150", "0.0200"}, {"0.0200", "0.0250"}
_RATES = (*[_LOWEST] * 2, *[_MIDDLE] * 2, *[_HIGHEST] * 4)
EVERY_REASON = {
    *("account_id_missing", "account_type_missing", "account_type_unrecognised"),
    *("balance_fraction_of_a_cent", "balance_missing", "balance_negative"),
    *("balance_not_a_number", "balance_out_of_range", "conflicting_duplicate"),
    *("customer_id_missing", "customer_id_not_a_whole_number", "customer_not_found"),
    *("customer_quarantined", "has_loan_unrecognised", "record_broken_quoting"),
    *("record_not_utf8", "record_too_long", "record_wrong_number_of_fields"),
}


def test_a_day_that_comes_again_leaves_nothing_of_what_it_was_before(
    processed: dict[str, Processed], engines: BothEngines
) -> None:
    # What came later of a day replaces what came before, and no other day.
    expected = {date: right for step in processed.values() for date, right in step.oracle.items()}
    assert expected.keys() == {LATE_DAY, DAY_BEFORE, DAY}
    for side in engines.sides.values():
        assert _rows_by_date(side, "account_summary_daily") == {
            date: len(_read_csv(expected[date].account_summary_csv)) - 1
            for date in (DAY_BEFORE, DAY)
        }
        assert _ledgers(side, expected) == {date: it.ledger for date, it in expected.items()}


def test_both_engines_say_the_same_of_what_changed_between_two_days(
    processed: dict[str, Processed], engines: BothEngines, tmp_path: Path
) -> None:
    assert processed.keys() == set(STEPS)
    dates = LATE_DAY, DAY_BEFORE
    found, files = [], []
    for engine, side in engines.sides.items():
        warehouse = choose_warehouse(side)
        with warehouse.session(read_only=True):
            found.append(find_differences(warehouse, *dates, 3))
            write_differences(warehouse, *dates, tmp_path / engine)
        files.append((tmp_path / engine).read_bytes())

    assert found[0] == found[1]
    assert files[0] == files[1]
    assert found[0].adds_up
    assert found[0].came > 0
    assert len(_read_csv(files[0])) - 1 == found[0].total.accounts > 200


def _read_csv(content: bytes) -> list[list[str]]:
    """Records of a file, header included."""
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


def _rows_by_date(side: DataPlatformConfig, name: str) -> dict[dt.date, int]:
    warehouse = choose_warehouse(side)
    query = f"select as_of_date, count(*) as row_count from {name} group by as_of_date"
    with warehouse.session(read_only=True):
        rows: list[dict[str, Any]] = warehouse.fetch(query)
    return {row["as_of_date"]: row["row_count"] for row in rows}


def test_a_cent_that_one_engine_has_more_is_found(
    processed: dict[str, Processed], engines: BothEngines, tmp_path: Path
) -> None:
    assert processed[STEPS[-1]].parity.is_equal
    embedded, remote = (choose_warehouse(side) for side in engines.sides.values())
    one_cent = "update account_summary_daily set new_balance = new_balance {} 0.01 where {}"
    account = "account_id = (select max(account_id) from account_summary_daily)"
    with embedded.session(), embedded.cursor() as cursor:
        cursor.execute(one_cent.format("+", account))
    try:
        with embedded.session(read_only=True), remote.session(read_only=True):
            found = Comparer(embedded, remote, tmp_path).compare("account_summary_daily")
    finally:
        with embedded.session(), embedded.cursor() as cursor:
            cursor.execute(one_cent.format("-", account))

    (more, [row]), (less, [other]) = found.only_left, found.only_right
    assert (more, less) == (1, 1)
    assert row == {**other, "new_balance": other["new_balance"] + Decimal("0.01")}
    assert not found.is_equal
