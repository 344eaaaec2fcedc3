"""A dbt project that is broken: the run says where, and publishes nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from lending_club_pipeline.cli import cli
from lending_club_pipeline.contract.errors import TransformationError
from lending_club_pipeline.contract.seeds import project_dir
from lending_club_pipeline.dbt_runner import manifest
from lending_club_pipeline.warehouse import choose_warehouse
from tests.faults.landings import ACCOUNTS, CUSTOMERS
from tests.workspaces import Workspace

Failure = Callable[..., str]

JOIN = "models/intermediate/int_accounts__with_customer.sql"
SUMMARY = "models/marts/account_summary_daily.sql"
STAGING = "models/staging/lending_club"
LANDED = "macros/cross_db/judged_and_landed.sql"
SAVINGS = "models/intermediate/int_savings_accounts_only.sql"
# Where records vanish on purpose: between landing and base (customer 8, who is judged, and account
# B1, which is not), in staging, and before they are published; and where each record of an account
# wins a cent, at the join.
FAULTS = (
    (
        LANDED,
        "by name\nselect * from {{ judged }}\n{%- endmacro",
        "by name\nselect * from {{ judged }} where record_number != 3\n{%- endmacro",
    ),
    (f"{STAGING}/stg_customers__cleaned.sql", "not is_exact", "customer_id != 9 and not is_exact"),
    (LANDED, "number is null", "number is null and landed.record_number != 3"),
    (f"{STAGING}/stg_accounts__cleaned.sql", "not is_exact", "account_id != 'B2' and not is_exact"),
    (JOIN, "accounts.balance,", "cast(accounts.balance + 0.01 as decimal(18, 2)) as balance,"),
    (SAVINGS, "('account_type') }}", "('account_type') }} and account_id != 'B4'"),
)
LOST_CUSTOMERS = CUSTOMERS + b"8,Mary,no\n9,Jean,no\n"
LOST_ACCOUNTS = ACCOUNTS + b"".join(b"B%d,1,%d0.00,Savings\n" % (n, n) for n in (1, 2, 3, 4))
BASE = "landed = cleaned + exact_duplicate + quarantined_staging"
JOINED = "cleaned = joined + quarantined_join"
PUBLISHED = "joined = not_savings + published"
OPEN = (
    "Customer.csv of 2026-01-31: records = landed + rejected: 1 missing in records",
    f"Customer.csv of 2026-01-31: {BASE}: 1 missing in records",
    "accounts.csv of 2026-01-31: records = landed + rejected: 1 missing in records",
    f"accounts.csv of 2026-01-31: {BASE}: 1 missing in records, 20.00 missing in balance",
    f"accounts.csv of 2026-01-31: {JOINED}: 0.04 too much in balance",
    f"accounts.csv of 2026-01-31: {PUBLISHED}: 1 missing in records, 40.01 missing in balance",
)


def _change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))


def test_a_project_that_does_not_parse_names_the_model(
    after_good_run: Workspace, project: Path
) -> None:
    before = after_good_run.output_bytes()
    (project / JOIN).write_text("select * from {{ ref('no_such_model') }}")

    with pytest.raises(TransformationError) as caught:
        after_good_run.run()

    assert "int_accounts__with_customer" in str(caught.value)
    assert "no_such_model" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert after_good_run.output_bytes() == before


def test_a_project_that_is_not_there_is_named(
    after_good_run: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest, "project_dir", lambda: tmp_path / "nowhere")

    with pytest.raises(TransformationError, match=r"dbt cannot read its project: .*nowhere"):
        after_good_run.run()


@pytest.mark.exhaustive
def test_a_rate_that_is_none_is_shown_with_its_line(
    after_good_run: Workspace, project: Path, failure: Failure
) -> None:
    with (project / "seeds/interest_rate_tiers.csv").open("a") as file:
        file.write("2026-02-30,0.00,0.0100\n")

    message = failure(after_good_run)

    assert message.startswith(
        "dbt model or test interest_rate_tiers: Runtime Error in seed interest_rate_tiers "
        "(seeds/interest_rate_tiers.csv) Conversion Error: CSV Error on Line: 5 "
    )
    assert message.endswith(
        'Error when converting column "effective_date". Could not convert string "2026-02-30" to '
        "'DATE'. Nothing was published; the outputs of the last good run are unchanged."
    )


def test_a_model_that_fails_in_the_first_run_is_named_and_the_next_run_needs_no_help(
    workspace: Workspace, project: Path, failure: Failure, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.deliver(CUSTOMERS, ACCOUNTS)
    _change(project / SUMMARY, "accounts.balance,", "accounts.no_such_column,")

    message = failure(workspace)

    assert message.startswith("dbt model or test account_summary_daily: ")
    assert "no_such_column" in message
    assert "the outputs of the last good run are unchanged" in message
    # Nothing of the failed run still holds the database open for writing.
    warehouse = choose_warehouse(workspace.settings())
    with warehouse.session(read_only=True):
        assert "delivery_ledger" not in warehouse.relations()

    monkeypatch.setattr(manifest, "project_dir", project_dir)
    assert workspace.run().outcome == "success"


def test_every_equation_of_the_ledger_that_is_open_is_named_and_nothing_is_published(
    after_good_run: Workspace, project: Path
) -> None:
    before = after_good_run.output_bytes()
    for file, old, new in FAULTS:
        _change(project / file, old, new)
    after_good_run.deliver(LOST_CUSTOMERS, LOST_ACCOUNTS)

    result = CliRunner().invoke(cli, ["run"])

    assert result.exit_code == 1
    assert after_good_run.output_bytes() == before
    said = result.stderr.partition("the ledger does not close. ")[2].partition(". Nothing was")[0]
    assert sorted(said.split("; ")) == sorted(OPEN)
    # The table shows where, though nothing is published.
    table = " ".join(result.stdout.split())
    assert "cleaned 4 370.00" in table
    assert "The ledger does not close: nothing of this delivery was published." in table
