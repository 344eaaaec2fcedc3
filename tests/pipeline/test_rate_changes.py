"""Rates are data: what a changed seed does, and what it must not do."""

import datetime as dt
import shutil
from pathlib import Path

import pytest

from lending_club_pipeline.transformation import manifests
from lending_club_pipeline.transformation.projects import project_dir
from tests.workspaces import Workspace

CUSTOMERS = "1,Ada,yes\n2,Grace,no\n"
ACCOUNTS = "A1,1,1000.00,Savings\nA2,2,1000.00,Savings\nA3,2,20000.00,Savings\n"
DAY_BEFORE = dt.date(2026, 1, 31)
EFFECTIVE_DATE = dt.date(2026, 2, 1)
DAY_AFTER = dt.date(2026, 2, 2)

TIERS = "effective_date,lower_bound,annual_base_rate\n"
BONUSES = "effective_date,annual_bonus_rate\n"
FIRST_TIERS = "1900-01-01,0.00,0.0100\n1900-01-01,10000.00,0.0150\n1900-01-01,20000.00,0.0200\n"


@pytest.fixture
def seeds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Folder of the seeds of a dbt project of the test's own."""
    project = tmp_path / "dbt"
    shutil.copytree(project_dir(), project, ignore=shutil.ignore_patterns("target", "logs"))
    monkeypatch.setattr(manifests, "project_dir", lambda: project)
    return project / "seeds"


def rates_and_interest(workspace: Workspace) -> dict[str, tuple[str, str]]:
    """Rate and interest by account, as they were published."""
    lines = (workspace.outputs / "account_summary.csv").read_text().splitlines()[1:]
    fields = [line.split(",") for line in lines]
    return {account: (rate, interest) for _, account, _, rate, interest, _ in fields}


def add_line(seed: Path, line: str) -> None:
    seed.write_text(seed.read_text() + line)


def test_new_rates_apply_from_their_effective_date_and_change_nothing_before_it(
    workspace: Workspace, seeds: Path
) -> None:
    for as_of in (DAY_BEFORE, EFFECTIVE_DATE, DAY_AFTER):
        workspace.deliver(CUSTOMERS, ACCOUNTS, as_of)
    workspace.run(DAY_BEFORE)
    before = workspace.output_bytes()

    add_line(seeds / "interest_rate_tiers.csv", f"{EFFECTIVE_DATE},0.00,0.0300\n")
    add_line(seeds / "loan_bonus_rates.csv", f"{EFFECTIVE_DATE},0.0075\n")
    assert workspace.run(DAY_BEFORE).outcome == "success"

    for name in ("account_summary.csv", "account_summary.parquet", "quarantine.csv"):
        assert workspace.output_bytes()[name] == before[name]
    for as_of in (EFFECTIVE_DATE, DAY_AFTER):
        assert workspace.run(as_of).outcome == "success"
        assert rates_and_interest(workspace) == {
            "A1": ("0.0375", "37.50"),
            "A2": ("0.0300", "30.00"),
            "A3": ("0.0300", "600.00"),
        }


@pytest.mark.parametrize(
    ("seed", "text", "test"),
    [
        pytest.param(
            "interest_rate_tiers.csv",
            TIERS + FIRST_TIERS.replace("1900-01-01", "2026-02-02"),
            "every_balance_has_one_rate_in_force",
            id="no_tier_is_in_force_yet",
        ),
        pytest.param(
            "interest_rate_tiers.csv",
            TIERS + FIRST_TIERS + "2026-02-01,0.01,0.0100\n",
            "every_balance_has_one_rate_in_force",
            id="a_balance_of_zero_falls_into_a_gap",
        ),
        pytest.param(
            "interest_rate_tiers.csv",
            TIERS + FIRST_TIERS + "1900-01-01,10000.00,0.0175\n",
            "every_balance_has_one_rate_in_force",
            id="two_tiers_overlap",
        ),
        pytest.param(
            "interest_rate_tiers.csv",
            TIERS + FIRST_TIERS.replace("0.0150", "1.5"),
            "every_balance_has_one_rate_in_force",
            id="a_rate_is_written_in_percent",
        ),
        pytest.param(
            "loan_bonus_rates.csv",
            BONUSES + "2026-02-02,0.0050\n",
            "one_loan_bonus_is_in_force",
            id="no_bonus_is_in_force_yet",
        ),
        pytest.param(
            "loan_bonus_rates.csv",
            BONUSES + "1900-01-01,0.0050\n1900-01-01,0.0060\n",
            "one_loan_bonus_is_in_force",
            id="two_bonuses_are_in_force",
        ),
    ],
)
def test_rates_that_are_not_one_for_every_balance_refuse_the_run(
    workspace: Workspace, seeds: Path, seed: str, text: str, test: str
) -> None:
    workspace.deliver(CUSTOMERS, ACCOUNTS, DAY_BEFORE)
    assert workspace.run(DAY_BEFORE).outcome == "success"
    before = workspace.output_bytes()

    workspace.deliver(CUSTOMERS, ACCOUNTS, EFFECTIVE_DATE)
    (seeds / seed).write_text(text)
    report = workspace.run(EFFECTIVE_DATE)

    assert report.outcome == "failed"
    assert test in report.message
    assert workspace.output_bytes() == before
