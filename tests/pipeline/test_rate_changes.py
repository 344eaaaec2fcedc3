"""Rates are data: what a changed seed does, and what it must not do."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from lending_club_pipeline.contract.seeds import project_dir
from lending_club_pipeline.dbt_runner import manifest
from lending_club_pipeline.dbt_runner.invocation import build_arguments, run_dbt
from lending_club_pipeline.explanations.differences import Moved, find_differences
from lending_club_pipeline.warehouse import choose_warehouse
from tests.projects import copy_project, parse_only_changes
from tests.workspaces import Workspace

CUSTOMERS = "1,Ada,yes\n2,Grace,no\n"
ACCOUNTS = "A1,1,1000.00,Savings\nA2,2,1000.00,Savings\nA3,2,20000.00,Savings\n"
DAY_BEFORE = dt.date(2026, 1, 31)
EFFECTIVE_DATE = dt.date(2026, 2, 1)

TIERS_HEADER = "effective_date,lower_bound,annual_base_rate\n"
TIERS = "1900-01-01,0.00,0.0100\n1900-01-01,10000.00,0.0150\n1900-01-01,20000.00,0.0200\n"
BONUSES_HEADER = "effective_date,annual_bonus_rate\n"
BONUSES = "1900-01-01,0.0050\n"


@pytest.fixture
def seeds(good_run: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Folder of the seeds of a dbt project of the test's own.

    It is used once its seeds differ from the real ones: that project is parsed already.
    """
    project, real = copy_project(tmp_path / "dbt"), project_dir()
    names = ("interest_rate_tiers.csv", "loan_bonus_rates.csv")

    def in_use() -> Path:
        changed = any(
            (real / "seeds" / name).read_bytes() != (project / "seeds" / name).read_bytes()
            for name in names
        )
        return project if changed else real

    monkeypatch.setattr(manifest, "project_dir", in_use)
    parse_only_changes(good_run, monkeypatch)
    return project / "seeds"


def rates_and_interest(workspace: Workspace) -> dict[str, tuple[str, str]]:
    """Rate and interest by account, as they were published."""
    lines = (workspace.outputs / "account_summary.csv").read_text().splitlines()[1:]
    fields = [line.split(",") for line in lines]
    return {account: (rate, interest) for _, account, _, rate, interest, _ in fields}


def rows_of_the_day_before(workspace: Workspace) -> list[dict[str, object]]:
    warehouse = choose_warehouse(workspace.settings())
    with warehouse.session(read_only=True):
        return warehouse.fetch(
            f"select * from account_summary_daily where as_of_date = '{DAY_BEFORE}' "
            "order by account_id"
        )


def moved_interest(it: Moved) -> tuple[int, Decimal, Decimal]:
    return it.accounts, it.interest_before, it.interest_after


def add_lines(seed: Path, lines: str) -> None:
    seed.write_text(seed.read_text() + lines)


def test_new_rates_apply_from_their_effective_date_and_change_nothing_before_it(
    workspace: Workspace, seeds: Path
) -> None:
    workspace.deliver(CUSTOMERS, ACCOUNTS, DAY_BEFORE)
    workspace.deliver(CUSTOMERS, ACCOUNTS, EFFECTIVE_DATE)
    workspace.run(DAY_BEFORE)
    before = rows_of_the_day_before(workspace)

    add_lines(seeds / "interest_rate_tiers.csv", f"{EFFECTIVE_DATE},0.00,0.0300\n")
    add_lines(seeds / "loan_bonus_rates.csv", f"{EFFECTIVE_DATE},0.0075\n")
    report = workspace.run_range(DAY_BEFORE, EFFECTIVE_DATE, force=True)
    assert [day.outcome for day in report.days] == ["success", "success"]

    assert rows_of_the_day_before(workspace) == before
    assert len(before) == 3
    assert rates_and_interest(workspace) == {
        "A1": ("0.0375", "37.50"),
        "A2": ("0.0300", "30.00"),
        "A3": ("0.0300", "600.00"),
    }
    warehouse = choose_warehouse(workspace.settings())
    with warehouse.session(read_only=True):
        found = find_differences(warehouse, DAY_BEFORE, EFFECTIVE_DATE, 9)
    # A3 lay in a tier with another lower bound; A1 and A2 bear another rate in the same one.
    assert {kind: moved_interest(it) for kind, it in found.by_kind.items()} == {
        "tier_changed": (1, Decimal("400.00"), Decimal("600.00")),
        "rate_changed": (2, Decimal("25.00"), Decimal("67.50")),
    }
    assert found.adds_up


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "tiers",
    [
        pytest.param(TIERS.replace("1900-01-01", "2026-02-02"), id="none_is_in_force_yet"),
        pytest.param(TIERS + "1900-01-01,10000.00,0.0175\n", id="two_overlap"),
    ],
)
def test_a_run_without_one_rate_for_every_balance_is_refused_and_changes_no_output(
    workspace: Workspace, seeds: Path, tiers: str
) -> None:
    workspace.deliver(CUSTOMERS, ACCOUNTS, DAY_BEFORE)
    workspace.deliver(CUSTOMERS, ACCOUNTS, EFFECTIVE_DATE)
    assert workspace.run(DAY_BEFORE).outcome == "success"
    before = workspace.output_bytes()

    (seeds / "interest_rate_tiers.csv").write_text(TIERS_HEADER + tiers)
    report = workspace.run(EFFECTIVE_DATE)

    assert report.outcome == "failed"
    assert "every_balance_has_one_rate_in_force" in report.message
    assert workspace.output_bytes() == before


ONE_RATE = "every_balance_has_one_rate_in_force"
ONE_BONUS = "one_loan_bonus_is_in_force"
TIERS_AND_REFUSALS = [
    (TIERS, set()),
    (TIERS + "2026-02-01,0.00,0.0300\n", set()),
    (TIERS + "2026-02-02,0.01,0.0300\n", set()),
    (TIERS.replace("0.0100", "0.0000"), set()),
    (TIERS.replace("1900-01-01", "2026-02-02"), {ONE_RATE}),
    (TIERS + "2026-02-01,0.01,0.0300\n", {ONE_RATE}),
    (TIERS + "2026-02-01,0.00,0.0300\n2026-02-01,0.00,0.0300\n", {ONE_RATE}),
    (TIERS + "1900-01-01,-1.00,0.0300\n", {ONE_RATE}),
    (TIERS.replace("0.0150", "1.5"), {ONE_RATE}),
    (TIERS.replace("0.0150", "-0.0150"), {ONE_RATE}),
    (TIERS.replace("0.0150", "0.01505"), {ONE_RATE}),
    (TIERS.replace("0.0150", "0.015000"), set()),
    (TIERS.replace("10000.00", "10000.005"), {ONE_RATE}),
]
BONUSES_AND_REFUSALS = [
    (BONUSES, set()),
    (BONUSES + "2026-02-01,0.0060\n2026-02-02,1.0000\n", set()),
    (BONUSES.replace("1900-01-01", "2026-02-02"), {ONE_BONUS}),
    (BONUSES + "1900-01-01,0.0050\n", {ONE_BONUS}),
    (BONUSES + "2026-02-01,1.0000\n", {ONE_BONUS}),
    (BONUSES + "2026-02-01,-0.0050\n", {ONE_BONUS}),
    (BONUSES + "2026-02-01,0.00505\n", {ONE_BONUS}),
]


@pytest.mark.exhaustive
def test_the_seeds_are_refused_unless_they_give_every_balance_one_rate(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The whole of it is parsed: its seeds change after that.
    project = copy_project(tmp_path / "dbt")
    seeds = project / "seeds"
    monkeypatch.setattr(manifest, "project_dir", lambda: project)
    warehouse = choose_warehouse(workspace.settings())
    # A cache of its own, so that dbt reads the seeds of this project and not of another equal one.
    prepared = manifest.prepare_manifest(warehouse.dbt_environment(), tmp_path / "cache")

    def refusals() -> set[str]:
        arguments = build_arguments([EFFECTIVE_DATE], ["interest_rate_tiers", "loan_bonus_rates"])
        results = run_dbt(prepared, arguments, warehouse.dbt_environment(), lambda *_: None)
        warehouse.disconnect_dbt()
        return {it.unique_id.split(".")[2] for it in results if it.is_failed}

    for tiers, expected in TIERS_AND_REFUSALS:
        (seeds / "interest_rate_tiers.csv").write_text(TIERS_HEADER + tiers)
        assert refusals() == expected, tiers
    (seeds / "interest_rate_tiers.csv").write_text(TIERS_HEADER + TIERS)
    for bonuses, expected in BONUSES_AND_REFUSALS:
        (seeds / "loan_bonus_rates.csv").write_text(BONUSES_HEADER + bonuses)
        assert refusals() == expected, bonuses
