"""The same deliveries on both engines, one after the other: everything they make is the same."""

import csv
import datetime as dt
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lending_club_pipeline.explanations.differences import find_differences, write_differences
from lending_club_pipeline.outputs.closing import read_ledger
from lending_club_pipeline.outputs.tables import OUTPUT_FILES
from lending_club_pipeline.parity.comparing import Comparer
from lending_club_pipeline.parity.running import BothEngines, Parity, both_engines
from lending_club_pipeline.settings import DataPlatformConfig, load_settings
from lending_club_pipeline.terminal import print_parity
from lending_club_pipeline.warehouse import choose_warehouse
from tests.databricks.conftest import WarehouseClient
from tests.databricks.parity_deliveries import BOUNDARIES, DAY, DAY_BEFORE, Step, steps
from tests.oracle import Outcome, process

STEPS = (
    "every kind of dirt",
    "two earlier days that come late",
    "the first day again, without savings",
)
RELATIONS = {
    *("customers_raw", "accounts_raw", "rejected_records", "delivered_files"),
    *("interest_rate_tiers", "loan_bonus_rates"),
    *("base_customers", "base_accounts", "stg_customers__cleaned", "stg_accounts__cleaned"),
    *("int_accounts__with_customer", "int_accounts__without_customer"),
    *("int_interest_rates__by_period", "int_interest_rates__in_force"),
    "int_savings_accounts_only",
    *("account_summary", "account_summary_by_tier", "account_summary_daily"),
    *("account_history", "customer_history", "customer_profile"),
    *("account_summary_monthly", "delivery_changes"),
    *("delivery_ledger", "quarantined_records"),
    *("int_deliveries_measured", "delivery_movements", "publishable_deliveries"),
    "delivery_approvals",
}


@dataclass(frozen=True)
class Processed:
    """What both engines made of a delivery: the verdict, and outputs and ledger by engine."""

    step: Step
    parity: Parity
    outputs: dict[str, dict[str, bytes]]
    ledgers: dict[str, dict[tuple[str, str], tuple[int, int | None, int | None]]]
    oracle: Outcome


@contextmanager
def _only_these(environment: dict[str, str], folder: Path) -> Iterator[None]:
    """Variables of the shell and an `.env` file must not decide what a test does."""
    with pytest.MonkeyPatch.context() as patch:
        for name in DataPlatformConfig.model_fields:
            patch.delenv(name.upper(), raising=False)
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
    """All deliveries, processed by both engines in their order and compared after each."""
    found = {}
    for step in steps(engines.folder / "generated"):
        _deliver(engines, step.as_of_date, step.files)
        since = None
        if step.day_before is not None:
            since = step.as_of_date - dt.timedelta(days=1)
            _deliver(engines, since, step.day_before)
        engines.process(step.as_of_date, since)
        outcome = process(*step.files, step.as_of_date)
        assert isinstance(outcome, Outcome)
        found[step.name] = Processed(
            step,
            # What the days in between left is compared with all that came after them.
            Parity((), engines.compare_files()) if step.name == STEPS[1] else engines.compare(),
            {engine: _outputs(side) for engine, side in engines.sides.items()},
            {engine: _ledger(side, step.as_of_date) for engine, side in engines.sides.items()},
            outcome,
        )
    return found


def _deliver(engines: BothEngines, date: dt.date, files: tuple[bytes, bytes]) -> None:
    folder = engines.folder / "inputs" / date.isoformat()
    folder.mkdir(exist_ok=True)
    for name, content in zip(("Customer.csv", "accounts.csv"), files, strict=True):
        (folder / name).write_bytes(content)


def _outputs(side: DataPlatformConfig) -> dict[str, bytes]:
    return {name: (side.output_path / name).read_bytes() for name in OUTPUT_FILES}


def _ledger(
    side: DataPlatformConfig, as_of_date: dt.date
) -> dict[tuple[str, str], tuple[int, int | None, int | None]]:
    warehouse = choose_warehouse(side)
    with warehouse.session(read_only=True):
        ledger = read_ledger(warehouse, as_of_date)
    assert ledger is not None
    assert ledger.is_closed
    return {
        key: (it.row_count, _cents(it.balance), it.balance_unknown)
        for key, it in ledger.entries.items()
    }


def _cents(balance: Decimal | None) -> int | None:
    return None if balance is None else int(balance.scaleb(2))


@pytest.mark.parametrize("step", [STEPS[0], STEPS[2]])
def test_every_model_has_the_same_rows_and_types(
    processed: dict[str, Processed], step: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parity = processed[step].parity

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
    assert processed[step].ledgers["databricks"] == processed[step].oracle.ledger


@pytest.mark.parametrize("step", [STEPS[0], STEPS[2]])
def test_databricks_publishes_what_the_oracle_says(
    processed: dict[str, Processed], step: str
) -> None:
    outputs, oracle = processed[step].outputs["databricks"], processed[step].oracle

    assert outputs["quarantine.csv"] == oracle.quarantine_csv
    assert outputs["account_summary.csv"] == oracle.account_summary_csv


def test_the_deliveries_hold_what_they_are_there_for(processed: dict[str, Processed]) -> None:
    first, late, last = (processed[step].oracle for step in STEPS)

    published = {(row[2], row[3]) for row in _read_csv(first.account_summary_csv)}
    for balance, rates in zip(BOUNDARIES, _RATES, strict=True):
        assert {rate for amount, rate in published if amount == balance} == rates
    reasons = {reason for _, reason in first.reasons}
    assert reasons == EVERY_REASON
    assert len(_read_csv(late.account_summary_csv)) > 200
    assert last.account_summary_csv.count(b"\n") == 1


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


def test_a_late_older_day_changes_nothing_that_is_published(
    processed: dict[str, Processed],
) -> None:
    before, after = (processed[step].outputs["databricks"] for step in STEPS[:2])

    for name in OUTPUT_FILES:
        # The report compares the newest day with the one before, which is there only now.
        assert (after[name] == before[name]) is (name != "report.html"), name


def test_a_day_that_comes_again_leaves_nothing_of_what_it_was_before(
    processed: dict[str, Processed], engines: BothEngines
) -> None:
    assert processed.keys() == set(STEPS)
    expected = {DAY: processed[STEPS[2]].oracle, DAY_BEFORE: processed[STEPS[1]].oracle}
    for side in engines.sides.values():
        assert _rows_by_date(side, "account_summary_daily") == {
            DAY_BEFORE: len(_read_csv(expected[DAY_BEFORE].account_summary_csv)) - 1
        }
        ledger = _ledger(side, DAY)
        assert ledger == expected[DAY].ledger
        landed = ledger["accounts.csv", "landed"][0], ledger["Customer.csv", "landed"][0]
        assert landed == (4, 3)


def test_both_engines_say_the_same_of_what_changed_between_two_days(
    processed: dict[str, Processed], engines: BothEngines, tmp_path: Path
) -> None:
    assert processed.keys() == set(STEPS)
    dates = DAY_BEFORE - dt.timedelta(days=1), DAY_BEFORE
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
    assert processed[STEPS[1]].parity.is_equal
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
