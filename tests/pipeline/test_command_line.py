"""lending-club as a person or a script uses it."""

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lending_club_pipeline.cli import cli
from lending_club_pipeline.runs import doctor
from tests.workspaces import AS_OF, Workspace

CUSTOMERS = "1,Ada Lovelace,yes\n2,Grace  Hopper,N\n3,Alan,maybe\n"
ACCOUNTS = (
    'A1,1,"$10,000.00",Savings\n'
    "A2,2,250.5,checking\n"
    "A3,9,1.00,Savings\n"
    "A4,3,7,Savings\n"
    'A1, 1,"$10,000",savings\n'
    "A6,1,-5,Loan\n"
)


@pytest.fixture(scope="module")
def processed(new_workspace: Callable[[str], Workspace]) -> Workspace:
    """A workspace in which one delivery was processed by the command."""
    workspace = new_workspace("processed")
    workspace.deliver(CUSTOMERS, ACCOUNTS)
    done = workspace.cold_command("run", "--verbose", "--as-of", AS_OF.isoformat())
    assert done.returncode == 0, done.stderr
    (workspace.root / "stdout.txt").write_text(done.stdout)
    (workspace.root / "stderr.txt").write_text(done.stderr)
    return workspace


def test_run_ends_without_a_list_of_what_libraries_did_not_free(processed: Workspace) -> None:
    assert "leaked" not in (processed.root / "stderr.txt").read_text()


@pytest.mark.exhaustive
def test_a_second_run_ends_without_such_a_list_too(processed: Workspace) -> None:
    again = processed.cold_command("run", "--force", "--as-of", AS_OF.isoformat())

    assert again.returncode == 0, again.stderr
    assert "leaked" not in again.stderr


def invoke(workspace: Workspace, *arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, env=workspace.variables())


def test_run_ends_with_numbers_that_add_up_and_what_was_written(processed: Workspace) -> None:
    printed = (processed.root / "stdout.txt").read_text()
    lines = [" ".join(line.split()) for line in printed.splitlines()]

    assert "records 6 20,258.50 1" in lines
    assert "exact duplicates 1 10,000.00" in lines
    assert "· balance_negative (1)" in lines
    assert "· customer_not_found (1)" in lines
    assert "not savings 1 250.50" in lines
    assert "published 1 10,000.00" in lines
    assert "Every record and every cent is accounted for." in lines
    for name in ("account_summary.csv", "account_summary.parquet", "quarantine.csv", "report.html"):
        assert str(processed.outputs / name) in lines


def test_run_says_what_it_does_while_it_works(processed: Workspace) -> None:
    said = (processed.root / "stderr.txt").read_text()

    assert "Splitting accounts.csv" in said
    assert said.startswith("The delivery of ")
    assert "dbt account_summary: success" in said
    assert "Writing report.html" in said


def test_progress_says_which_of_how_many(processed: Workspace) -> None:
    said = (processed.root / "stderr.txt").read_text()

    shown = [(int(it), int(all_)) for it, all_ in re.findall(r"; (\d+) of (\d+)\)", said)]
    nodes = int(re.findall(r"dbt built (\d+) nodes", said)[0])
    assert shown == [(number, nodes) for number in range(1, nodes + 1)]


def test_a_quiet_run_says_nothing_if_nothing_went_wrong(workspace: Workspace) -> None:
    workspace.deliver("1,Ada,Yes\n", "A1,1,100.00,Savings\n")

    ended = workspace.command("run", "--quiet")

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert (workspace.outputs / "account_summary.csv").exists()

    (workspace.inputs / AS_OF.isoformat() / "accounts.csv").write_text("Not,The,Header,Line\n")
    ended = workspace.command("run", "--quiet", "--as-of", AS_OF.isoformat())

    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr.startswith(f"{AS_OF} refused: ")
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "command", ["run", "explain", "diff", "close-month", "generate", "doctor", "ui", "parity"]
)
def test_each_subcommand_helps(command: str) -> None:
    result = CliRunner().invoke(cli, [command, "--help"])

    assert result.exit_code == 0
    assert "Exit codes: 0 success, 1 failed, 2 wrong usage" in " ".join(result.output.split())
    assert "%Y" not in result.output


@pytest.mark.parametrize(
    ("command", "can_be_held"), [("run", True), ("explain", False), ("generate", False)]
)
def test_a_subcommand_tells_the_exit_codes_that_it_has(command: str, *, can_be_held: bool) -> None:
    told = CliRunner().invoke(cli, [command, "--help"]).output

    assert ("delivery held until" in " ".join(told.split())) == can_be_held


def test_explain_tells_how_interest_came_about(processed: Workspace) -> None:
    told = invoke(processed, "explain", "A1").output

    assert "accounts.csv, record 1: published in account_summary" in told
    assert "'$10,000.00' → 10000.00" in told
    assert "accounts.csv, record 5: dropped: it has the same values as an earlier record" in told
    assert "Customer.csv, record 1: cleaned" in told
    assert "10,000.00 ≤ balance < 20,000.00: 1.5 %, in force since 1900-01-01" in told
    assert "+ 0.5 %: the customer has a loan  [dbt/seeds/loan_bonus_rates.csv]" in told
    assert "10,000.00 x 0.0200 = 200.000000, rounded half up to 200.00" in told
    assert "10,000.00 + 200.00 = 10,200.00" in told


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        ("A2", "not published: only savings accounts bear interest"),
        ("A3", "customer_not_found: "),
        ("A4", "customer_quarantined: "),
        ("A6", "balance_negative: "),
        ("A6", "account_type_unrecognised: "),
    ],
)
def test_explain_tells_why_an_account_is_not_published(
    processed: Workspace, account: str, reason: str
) -> None:
    assert reason in invoke(processed, "explain", account).output


def test_explain_tells_of_a_customer_and_their_accounts(processed: Workspace) -> None:
    told = invoke(processed, "explain", "--customer", "1").output

    assert "Customer.csv, record 1: cleaned" in told
    assert "A1: published (record 1)" in told
    assert "A1: exact duplicate (record 5)" in told
    assert "A6: quarantined, account_type_unrecognised, balance_negative (record 6)" in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["A99"], "accounts.csv of 2026-01-31 has no account A99"),
        (["A99"], "Records that did not split into fields are in quarantine.csv."),
        (["--customer", "99"], "has no customer 99"),
        (["--customer", "99"], "Records that did not split into fields are in quarantine.csv."),
        (["A1", "--as-of", "2020-01-01"], "The delivery of 2020-01-01 was not processed"),
        (["A1", "--as-of", "2020-01-01"], "`lending-club run --as-of 2020-01-01`."),
    ],
)
def test_explain_says_what_is_not_there(
    processed: Workspace, arguments: list[str], message: str
) -> None:
    result = processed.command("explain", *arguments)

    assert result.returncode == 1
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["A3"], ["--customer", "9"]])
def test_explain_tells_where_the_record_of_a_customer_may_be_that_accounts_name(
    processed: Workspace, arguments: list[str]
) -> None:
    told = invoke(processed, "explain", *arguments).output

    assert "Records that did not split into fields are in quarantine.csv." in told


def test_explain_before_the_first_run_says_to_run(tmp_path: Path) -> None:
    result = Workspace(tmp_path).command("explain", "A1")

    assert result.returncode == 1
    assert "lending-club run" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [[], ["A1", "--customer", "1"]])
def test_explain_wants_one_account_or_one_customer(
    processed: Workspace, arguments: list[str]
) -> None:
    assert processed.command("explain", *arguments).returncode == 2


def test_doctor_finds_everything_in_order(processed: Workspace) -> None:
    result = invoke(processed, "doctor")

    assert result.exit_code == 0
    assert "✓ accounts.csv: 7 lines" in result.output
    assert "Everything that a run needs is there." in result.output


def test_doctor_says_for_each_problem_what_to_do(workspace: Workspace) -> None:
    folder = workspace.deliver(CUSTOMERS, ACCOUNTS)
    (folder / "accounts.csv").write_text("AccountID;CustomerID;Balance;AccountType\n")
    workspace.database.write_text("no database")
    workspace.outputs.write_text("a file")

    result = invoke(workspace, "doctor")

    assert result.exit_code == 1
    assert "✗ accounts.csv: " in result.output
    assert "Export the file again with commas" in result.output
    assert "✗ database: " in result.output
    assert "✗ OUTPUT_PATH: " in result.output
    assert "Problems: 3." in result.output


def test_doctor_says_how_to_install_a_package_that_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_PACKAGES", ("no-such-package",))

    result = invoke(Workspace(tmp_path), "doctor")

    assert result.exit_code == 1
    assert "✗ no-such-package: not installed; in a checkout `touch uv.lock && make run`" in (
        result.output
    )


def test_doctor_masks_secrets(workspace: Workspace) -> None:
    workspace.deliver(CUSTOMERS, ACCOUNTS)
    environment = workspace.environment() | {"DATABRICKS_TOKEN": "dapi-canary"}

    result = CliRunner().invoke(cli, ["doctor"], env=environment)

    assert "DATABRICKS_TOKEN=*****" in result.output
    assert "canary" not in result.output


def test_doctor_changes_nothing(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.deliver(CUSTOMERS, ACCOUNTS)
    before = sorted(tmp_path.rglob("*"))

    invoke(workspace, "doctor")

    assert sorted(tmp_path.rglob("*")) == before


def test_generate_makes_a_delivery_that_run_accepts(workspace: Workspace) -> None:
    result = invoke(
        workspace,
        *("generate", "--customers", "50", "--accounts", "100", "--dirty", "0.1"),
        *("--days", "2", "--seed", "7", "--to", str(workspace.inputs)),
    )

    assert result.exit_code == 0, result.output
    today = dt.datetime.now(dt.UTC).date()
    days = sorted(path.name for path in workspace.inputs.iterdir())
    assert days == [(today - dt.timedelta(days=1)).isoformat(), today.isoformat()]
    # A delivery with every kind of dirt is processed by `test_synthetic_delivery.py`.
    found = invoke(workspace, "doctor")
    assert re.search(r"✓ Customer.csv: \d+ lines", found.output)
    assert re.search(r"✓ accounts.csv: \d+ lines", found.output)


def test_an_unknown_option_is_wrong_usage(workspace: Workspace) -> None:
    result = workspace.command("run", "--as-off", "2026-01-31")

    assert result.returncode == 2
    assert "No such option" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--as-of", "31.01.2026"], "'31.01.2026' is not a date: write YYYY-MM-DD."),
        (["run", "--as-of", "2026-02-30"], "'2026-02-30' is not a date: write YYYY-MM-DD."),
        (["close-month", "2026-13"], "'2026-13' is not a month: write YYYY-MM."),
        (
            ["run", "--wait", "-1"],
            "Invalid value for '--wait': '-1' is not allowed: write a number",
        ),
        (["expire", "--wait", "inf"], "Invalid value for '--wait': 'inf' is not allowed"),
        (["explain", "A1", "--wait", "nan"], "Invalid value for '--wait': 'nan' is not allowed"),
        (
            ["run", "--from", "2026-11-28", "--to", "2026-11-27"],
            "--from 2026-11-28 is after --to 2026-11-27.",
        ),
        (["run", "--from", "9999-12-31"], "--from 9999-12-31 is after today ("),
    ],
)
def test_wrong_usage_is_named_as_it_was_written(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(cli, arguments)

    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


def test_a_date_in_the_future_is_refused_like_other_deliveries(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()

    result = Workspace(tmp_path).command(
        "run", "--inputs", "in", "--as-of", "9999-12-31", timeout=60
    )

    assert result.returncode == 3
    assert result.stderr.startswith(
        f"Refused: {tmp_path / 'in'}: the as-of date 9999-12-31 lies in the future (today is "
    )
    assert len(result.stderr.splitlines()) == 1
