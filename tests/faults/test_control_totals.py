"""Control totals: a delivery that does not add up to what its sender says is refused."""

import gzip
import re
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from lending_club_pipeline.cli import cli
from lending_club_pipeline.contract.errors import RefusedDeliveryError
from lending_club_pipeline.contract.preflight_results import PreflightResult
from lending_club_pipeline.ingest.deliveries.balance_sums import NUMBER, parse_number, sum_balances
from lending_club_pipeline.ingest.landing import read_landed_files
from lending_club_pipeline.runs.doctor import preflight_checks
from tests.faults.landings import Landing
from tests.workspaces import ACCOUNT_HEADER, AS_OF

ROOT = Path(__file__).parents[2]
HEADER = "File,Records,SumOfBalances,BusinessDate\n"
CUSTOMERS_ROW = "Customer.csv,2,,2026-01-31\n"
# 100.00 and 200.00 of the landing's accounts.
RIGHT = f"{HEADER}{CUSTOMERS_ROW}accounts.csv,2,300.00,2026-01-31\n"


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    """A delivery of two customers and two accounts, 300.00 in all; nothing is landed."""
    landing = Landing(tmp_path)
    landing.deliver()
    return landing


def put_control(landing: Landing, text: str | bytes, name: str = "control.csv") -> None:
    content = text if isinstance(text, bytes) else text.encode()
    (landing.folder / name).write_bytes(content)


def test_a_delivery_that_adds_up_is_landed_and_says_so(landing: Landing) -> None:
    put_control(landing, RIGHT)

    landed = landing.land()

    assert landed.control is not None
    assert [(it.source_file, it.records, it.sum_of_balances) for it in landed.control.totals] == [
        ("Customer.csv", 2, None),
        ("accounts.csv", 2, Decimal("300.00")),
    ]
    assert len(landing.records("accounts")) == 2


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param(
            "control.csv",
            b"\xef\xbb\xbfbusinessdate, FILE ,sumofbalances,Note,RECORDS\r\n"
            b'2026-01-31," ACCOUNTS.CSV.GZ ","$300.0000",x, 2 \r\n\r\n2026-01-31,customer.csv,,,2',
            id="case, order, padding, extra column, CRLF, empty line, no last line end",
        ),
        pytest.param("control.csv.gz", gzip.compress(RIGHT.encode()), id="compressed"),
    ],
)
def test_a_control_file_is_read_as_leniently_as_the_others(
    landing: Landing, name: str, content: bytes
) -> None:
    put_control(landing, content, name)

    landed = landing.land()

    assert landed.control is not None
    assert landed.control.delivered_name == name


@pytest.mark.parametrize(
    ("text", "code", "line", "said"),
    [
        pytest.param(
            RIGHT.replace("accounts.csv,2", "accounts.csv,5"),
            "control_records_differ", None, "should have 5 records and has 2 (-3)",
            id="records of accounts",
        ),
        pytest.param(
            RIGHT.replace("Customer.csv,2", "Customer.csv,1"),
            "control_records_differ", None, "should have 1 records and has 2 (+1)",
            id="records of customers",
        ),
        pytest.param(
            RIGHT.replace("300.00", "1,300.005").replace("1,300.005", '"1,300.005"'),
            "control_sum_differs", None, "come to 1,300.005 and come to 300.00 (-1,000.005)",
            id="sum",
        ),
        pytest.param(
            RIGHT.replace("00,2026-01-31", "00,2026-01-30"),
            "control_date_differs", 3, "of 2026-01-30, but the delivery is of 2026-01-31 (-1 days)",
            id="date",
        ),
        pytest.param(
            f"{HEADER}{CUSTOMERS_ROW}", "control_row_missing", None, "no row for accounts.csv",
            id="missing row",
        ),
        pytest.param(
            f"{RIGHT}loans.csv,1,,2026-01-31\n", "control_file_unknown", 4, "no delivery has",
            id="unknown file",
        ),
        pytest.param(
            f"{RIGHT}{CUSTOMERS_ROW}", "control_row_twice", 4, "Customer.csv has a second row",
            id="row twice",
        ),
        pytest.param(
            RIGHT.replace("Records,", ""), "column_missing", 1, "no Records", id="missing column"
        ),
        pytest.param(
            RIGHT.replace("00,2026-01-31", "00"), "control_unreadable", 3, "3 fields, the header 4",
            id="short row",
        ),
        pytest.param(
            RIGHT.replace("accounts.csv,2", "accounts.csv,2.0"),
            "control_unreadable", 3, "not a whole number", id="records are no number",
        ),
        pytest.param(
            RIGHT.replace("300.00", "3e2"), "control_unreadable", 3, "balances is not a number",
            id="sum is no number",
        ),
        pytest.param(
            RIGHT.replace("2,,", "2,5,"), "control_unreadable", 2, "Customer.csv has no balances",
            id="customers with a sum",
        ),
        pytest.param(
            RIGHT.replace("2026-01-31\n", "20260131\n"), "control_unreadable", 2, "is not a date",
            id="no date",
        ),
        pytest.param(
            f'{RIGHT}"accounts', "control_unreadable", 4, "a quote is not closed", id="quote"
        ),
        pytest.param(
            RIGHT.encode() + b"\xff,1,,x\n", "control_unreadable", 4, "not valid UTF-8",
            id="not UTF-8",
        ),
        pytest.param("", "file_empty", 1, "is empty", id="empty"),
        pytest.param(
            RIGHT + "\n" * 2**20, "control_unreadable", None, "far larger", id="too large"
        ),
    ],
)  # fmt: skip
def test_what_differs_or_cannot_be_read_refuses_the_delivery(
    landing: Landing, text: str | bytes, code: str, line: int | None, said: str
) -> None:
    put_control(landing, text)

    refused = landing.refusal()

    assert refused.code == code
    assert said in str(refused)
    assert refused.place.path == landing.folder / "control.csv"
    if code != "file_empty":
        assert refused.place.line == line


def test_two_control_files_refuse_the_delivery(landing: Landing) -> None:
    put_control(landing, RIGHT)
    put_control(landing, gzip.compress(RIGHT.encode()), "control.csv.gz")

    assert landing.refusal().code == "file_in_several_forms"


def test_records_are_landed_and_rejected_ones_and_every_number_counts_in_the_sum(
    landing: Landing,
) -> None:
    """By hand: 100 + 100 + 1,234.50 - 5 - 0.125 + 10^18 + 0 = 10^18 + 1,429.375."""
    accounts = [
        *("A1,1,100.00,Savings", "A1,1,100.00,Savings", 'A2,1,"$1,234.50",Checking'),
        *("A3,1,-5,Savings", "A4,1,-$0.125,Savings", "A5,9,1000000000000000000,Savings"),
        *("A6,1,-0,Savings", "A7,1,,Savings", "A8,1,unknown,Savings", "A9,1,1e3,Savings"),
        *("A10,1,777.00", "A11,1,.5,Savings", "A12,1,+5,Savings"),
    ]
    landing.deliver(accounts=(ACCOUNT_HEADER + "\n".join(accounts) + "\n").encode())
    put_control(
        landing,
        RIGHT.replace("accounts.csv,2,300.00", "accounts.csv,13,1000000000000001429.375"),
    )

    landed = landing.land()

    assert [file.rejected_records for file in landed.files] == [0, 1]


def test_all_differences_are_named_at_once(landing: Landing) -> None:
    put_control(landing, f"{HEADER}Customer.csv,5,,2026-01-31\naccounts.csv,1,1.00,2026-01-31\n")

    with pytest.raises(RefusedDeliveryError) as refused:
        landing.land()

    assert refused.value.problem == (
        "Customer.csv should have 5 records and has 2 (-3); "
        "accounts.csv should have 1 records and has 2 (+1); "
        "the balances of accounts.csv should come to 1.00 and come to 300.00 (+299.00)"
    )


def test_both_files_of_another_date_are_named_at_once(landing: Landing) -> None:
    put_control(landing, RIGHT.replace("2026-01-31", "2026-01-30"))

    with pytest.raises(RefusedDeliveryError, match=r"of Customer.csv are .*; .* of accounts.csv"):
        landing.land()


def test_balances_of_too_many_digits_cannot_be_compared(landing: Landing) -> None:
    landing.deliver(accounts=f"{ACCOUNT_HEADER}A1,1,{'9' * 37},Savings\n".encode())
    put_control(landing, RIGHT.replace("accounts.csv,2,300.00", "accounts.csv,1,1"))

    assert landing.refusal().code == "control_sum_unknown"


def test_an_unchanged_control_file_leaves_what_was_landed(landing: Landing) -> None:
    put_control(landing, RIGHT)
    landing.land()
    before = landing.landed_bytes()

    again = landing.land()

    assert again.is_unchanged
    assert again.control is not None
    assert landing.landed_bytes() == before


def test_a_control_file_that_comes_changes_or_goes_makes_another_delivery(
    landing: Landing,
) -> None:
    landing.land()
    put_control(landing, RIGHT)
    assert not landing.land().is_unchanged
    put_control(landing, RIGHT.replace("300.00", "300"))
    assert not landing.land().is_unchanged
    (landing.folder / "control.csv").unlink()

    landed = landing.land()

    assert not landed.is_unchanged
    assert landed.control is None
    assert read_landed_files(landed.folder) == landed.files


def test_a_refused_control_file_leaves_what_was_landed_before(landing: Landing) -> None:
    landing.land()
    put_control(landing, RIGHT.replace("300.00", "301.00"))

    assert landing.refusal().code == "control_sum_differs"


def test_a_number_is_what_the_project_reads_as_money() -> None:
    macro = (ROOT / "dbt" / "macros" / "rules" / "parse_money.sql").read_text()
    pattern = re.search(r"macro money_pattern\(\) -%}\n(.*)\n", macro)

    assert pattern is not None
    assert pattern[1] == NUMBER


def test_no_digit_is_lost_however_the_numbers_are_written() -> None:
    texts = ["0.01", "00000000000000000000.1", "$-3", "9" * 36, "0." + "0" * 35 + "7", "\u2003 4 "]
    with duckdb.connect() as connection:
        connection.execute("create table given as select unnest($1) as balance", [texts])
        found = sum_balances(connection, "given")

    # 0.01 + 0.1 - 3 + (10^36 - 1) + 7 · 10^-36 + 4
    assert str(found.amount) == "1" + "0" * 36 + "." + "11" + "0" * 33 + "7"
    assert parse_number(texts[-1]) == 4


def test_doctor_looks_at_the_control_file(landing: Landing) -> None:
    def finding() -> PreflightResult:
        overrides = {"input_path": landing.inputs, "dagster_home": landing.root / "dagster"}
        found = list(preflight_checks(overrides))
        return next(it for it in found if it.subject == "control.csv")

    put_control(landing, RIGHT)
    assert finding().verdict == "ok"
    assert "2 records in Customer.csv, 2 records in accounts.csv" in finding().detail
    put_control(landing, RIGHT.replace("2026-01-31", "2026-01-30"))

    assert finding().verdict == "problem"


def test_generated_control_totals_are_accepted(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    arguments = ["--customers", "40", "--accounts", "90", "--dirty", "0.4", "--control"]
    made = CliRunner().invoke(
        cli,
        ["generate", *arguments, "--to", str(landing.inputs), "--first-day", AS_OF.isoformat()],
    )

    assert made.exit_code == 0, made.output
    landed = landing.land()
    assert landed.control is not None
    assert [it.records for it in landed.control.totals] == [40, 90]
    assert sorted(path.name for path in landing.folder.iterdir()) == [
        *("Customer.csv", "accounts.csv", "control.csv"),
    ]
