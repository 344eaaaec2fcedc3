"""The main job on small deliveries with hand-worked results."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import dagster as dg
import pytest

from lending_club_pipeline.dbt_runner.invocation import NodeResult, run_dbt
from lending_club_pipeline.dbt_runner.manifest import PreparedManifest
from lending_club_pipeline.defs.dbt import assets
from lending_club_pipeline.defs.jobs import JOB_NAME
from lending_club_pipeline.defs.project import build_definitions
from lending_club_pipeline.defs.run_records import error_of
from tests.workspaces import AS_OF, Workspace

CUSTOMERS = "1,Ada Lovelace,yes\n2,Grace Hopper,no\n3,Alan Turing,none\n"
ACCOUNTS = (
    "A1,1,9999.99,Savings\n"
    "A2,2,10000.00,Savings\n"
    "A3,3,20000.00,savings\n"
    "A4,1,500,Checking\n"
    "A5,9,1.00,Savings\n"
)


def test_every_savings_account_gets_its_rate_and_interest(workspace: Workspace) -> None:
    workspace.deliver(CUSTOMERS, ACCOUNTS)

    report = workspace.run()

    assert report.outcome == "success", report.message
    assert (workspace.outputs / "account_summary.csv").read_text() == (
        "customer_id,account_id,original_balance,interest_rate,annual_interest,new_balance\n"
        "1,A1,9999.99,0.0150,150.00,10149.99\n"
        "2,A2,10000.00,0.0150,150.00,10150.00\n"
        "3,A3,20000.00,0.0200,400.00,20400.00\n"
    )


@pytest.mark.exhaustive
def test_an_account_without_customer_is_quarantined(workspace: Workspace) -> None:
    workspace.deliver(CUSTOMERS, ACCOUNTS)

    workspace.run()

    assert (workspace.outputs / "quarantine.csv").read_text() == (
        "as_of_date,source_file,record_number,line_number,reasons,raw_record\n"
        '2026-01-31,accounts.csv,5,,customer_not_found,"A5,9,1.00,Savings"\n'
    )


def test_a_job_without_a_partition_fails_with_one_line_that_says_what_to_do(
    workspace: Workspace,
) -> None:
    workspace.deliver(CUSTOMERS, ACCOUNTS)
    definitions = build_definitions(workspace.settings(memory_limit="4096TiB"))

    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def(JOB_NAME).execute_in_process(
            instance=instance, raise_on_error=False
        )
        told = [entry.user_message for entry in instance.all_logs(result.run_id)]

    errors = [error for event in result.all_events if (error := error_of(event)) is not None]
    assert "This run has no partition" in errors[0].message
    assert "Launch it again for a partition" in errors[0].message
    assert not workspace.outputs.exists()
    # Whoever starts a run is warned before it takes what is not there.
    assert any("MEMORY_LIMIT=4096TiB is more than the " in message for message in told)


@pytest.mark.exhaustive
def test_dbt_builds_as_many_models_at_once_as_the_env_file_says(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace.root / ".env").write_text("DBT_THREADS=3\n")
    monkeypatch.chdir(workspace.root)
    workspace.deliver(CUSTOMERS, ACCOUNTS)
    asked_for: list[str] = []

    def run_dbt_and_tell(
        prepared: PreparedManifest, arguments: Sequence[str], *others: Any
    ) -> list[NodeResult]:
        asked_for.extend(arguments)
        return run_dbt(prepared, arguments, *others)

    monkeypatch.setattr(assets, "run_dbt", run_dbt_and_tell)

    assert workspace.run().outcome == "success"
    assert asked_for[asked_for.index("--threads") + 1] == "3"


@pytest.mark.exhaustive
def test_models_built_at_once_give_the_same_bytes(
    make_workspace: Callable[[str], Workspace],
) -> None:
    one, three = make_workspace("one"), make_workspace("three")
    for workspace, threads in ((one, 1), (three, 3)):
        workspace.deliver(CUSTOMERS, ACCOUNTS)
        assert workspace.run(dbt_threads=threads).outcome == "success"

    assert three.output_bytes() == one.output_bytes()


@pytest.mark.exhaustive
def test_a_late_older_delivery_changes_nothing_that_is_published(workspace: Workspace) -> None:
    older = AS_OF - dt.timedelta(days=1)
    workspace.deliver(CUSTOMERS, ACCOUNTS, older)
    workspace.deliver("1,,yes\n", "A1,1,9999.99,Savings\n")
    for day in (older, AS_OF):
        assert workspace.run(day).outcome == "success"
    published = workspace.output_bytes()
    assert "! Warning" in published["report.html"].decode()

    assert workspace.run(older).outcome == "success"

    assert workspace.output_bytes() == published
