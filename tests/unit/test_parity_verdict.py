"""What `lending-club parity` prints and how it ends, for verdicts of both kinds."""

from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lending_club_pipeline.cli import cli
from lending_club_pipeline.contract.errors import ConfigurationError, RefusedDeliveryError
from lending_club_pipeline.parity import engines
from lending_club_pipeline.parity.comparison import Comparison
from lending_club_pipeline.parity.engines import Parity

EQUAL = Comparison("base_accounts", (1200, 1200), (), (0, ()), (0, ()))
OTHER = Comparison(
    "account_summary",
    (1200, 1199),
    (("new_balance", "decimal128(18, 2)", "decimal128(20, 2)"), ("customer_id", "int64", "")),
    (2, ({"account_id": "A\u00a01", "new_balance": Decimal("10.10")},)),
    (1, ({"account_id": None, "new_balance": Decimal("10.11")},)),
)


def _parity(monkeypatch: pytest.MonkeyPatch, found: Parity) -> Result:
    monkeypatch.setattr(engines, "compare_engines", lambda *_: found)
    return CliRunner().invoke(cli, ["parity"])


def test_engines_that_agree_are_a_success(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = _parity(monkeypatch, Parity((EQUAL,), {"quarantine.csv": True}))

    assert ended.exit_code == 0
    assert ended.stdout.splitlines() == [
        "✓ base_accounts: 1,200 rows",
        "✓ quarantine.csv: the same bytes",
        "Both engines agree to the last digit.",
    ]


def test_engines_that_differ_are_a_failure_that_shows_the_first_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended = _parity(monkeypatch, Parity((EQUAL, OTHER), {"quarantine.csv": True}))

    assert ended.exit_code == 1
    assert ended.stdout.splitlines()[1:] == [
        "✗ account_summary: 1,200 rows on DuckDB, 1,199 on Databricks",
        "    new_balance is decimal128(18, 2) on DuckDB, decimal128(20, 2) there",
        "    customer_id is int64 on DuckDB, missing there",
        "    2 rows on DuckDB alone, such as",
        r"      account_id='A\xa01', new_balance=10.10",
        "    1 rows on Databricks alone, such as",
        "      account_id=None, new_balance=10.11",
        "✓ quarantine.csv: the same bytes",
        "The engines differ.",
    ]


def test_a_file_with_other_bytes_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = _parity(monkeypatch, Parity((EQUAL,), {"report.html": False}))

    assert ended.exit_code == 1
    assert "✗ report.html: other bytes" in ended.stdout


def test_without_a_sql_warehouse_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    (tmp_path / "Customer.csv").touch()
    (tmp_path / "accounts.csv").touch()

    ended = CliRunner().invoke(cli, ["parity", "--inputs", str(tmp_path)])

    assert isinstance(ended.exception, ConfigurationError)
    assert "DATABASE_TYPE=databricks" in str(ended.exception)


def test_without_a_delivery_nothing_is_asked_of_the_sql_warehouse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = {"HOST": "bank.invalid", "HTTP_PATH": "/sql/1.0/warehouses/1", "CATALOG": "bank"}
    for name, value in {**variables, "SCHEMA": "lending", "TOKEN": "no-token"}.items():
        monkeypatch.setenv(f"DATABRICKS_{name}", value)
    monkeypatch.setenv("DATABASE_TYPE", "databricks")

    ended = CliRunner().invoke(cli, ["parity", "--inputs", str(tmp_path / "nowhere")])

    assert isinstance(ended.exception, RefusedDeliveryError)
