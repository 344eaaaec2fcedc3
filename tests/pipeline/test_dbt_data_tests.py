"""dbt's tests of the data are checks that people read in Dagster."""

import dagster as dg
import pytest

from lending_club_pipeline.dbt_runner.evidence import nodes_of_build
from lending_club_pipeline.dbt_runner.invocation import run_dbt
from lending_club_pipeline.dbt_runner.manifest import PreparedManifest, prepare_manifest
from lending_club_pipeline.defs.dbt.graph import DbtGraph
from lending_club_pipeline.warehouse import choose_warehouse
from tests.workspaces import Workspace

# What must hold before anything is published, by the model or seed that it is shown with. A check
# that is missing here would let wrong numbers out.
BLOCKING = {
    "account_history": {
        "account_history_shows_what_was_cleaned",
        "one_state_of_an_account_at_a_time",
    },
    "account_summary": {"summary_shows_what_the_ledger_published"},
    "account_summary_by_tier": {"one_line_for_each_tier_and_bonus", "tiers_add_up_to_the_ledger"},
    "account_summary_daily": {"interest_follows_from_the_rates_in_force"},
    "customer_history": {
        "customer_history_shows_what_was_cleaned",
        "one_state_of_a_customer_at_a_time",
    },
    "delivery_changes": {"changes_explain_the_difference_of_deliveries"},
    "delivery_ledger": {"every_row_and_cent_is_accounted_for"},
    "delivery_movements": {"one_movement_for_each_measure"},
    "interest_rate_tiers": {"every_balance_has_one_rate_in_force"},
    "loan_bonus_rates": {"one_loan_bonus_is_in_force"},
    "publishable_deliveries": {
        "movements_are_within_limits_or_approved",
        "what_is_published_was_measured",
    },
    "quarantined_records": {"every_reason_is_explained"},
    "stg_accounts__cleaned": {
        "accounts_are_savings_or_checking",
        "accounts_have_one_row_per_id",
        "balances_are_in_range",
    },
    "stg_customers__cleaned": {
        "customer_ids_are_in_range",
        "customers_have_a_known_loan_status",
        "customers_have_one_row_per_id",
    },
}
MONTHLY = {"account_summary_monthly": {"months_show_what_the_ledger_joined"}}


@pytest.fixture
def prepared(workspace: Workspace) -> PreparedManifest:
    settings = workspace.settings()
    return prepare_manifest(choose_warehouse(settings).dbt_environment(), settings.dbt_cache)


def test_every_dbt_data_test_is_a_check_that_reads_as_a_statement_and_says_what_it_means(
    prepared: PreparedManifest,
) -> None:
    tests = {
        unique_id: node
        for unique_id, node in prepared.content["nodes"].items()
        if node["resource_type"] == "test"
    }
    checks = {
        unique_id: check
        for is_month_end in (False, True)
        for unique_id, check in DbtGraph(prepared, is_month_end).check_specs.items()
    }

    assert tests.keys() == checks.keys()
    for unique_id, check in checks.items():
        # dbt makes up a name that begins with that of the generic test.
        generic = tests[unique_id].get("test_metadata")
        assert generic is None or not check.name.startswith(f"{generic['name']}_"), check.name
        assert check.description, check.name


@pytest.mark.parametrize(("is_month_end", "expected"), [(False, BLOCKING), (True, MONTHLY)])
def test_what_must_hold_before_publication_is_a_blocking_check(
    prepared: PreparedManifest, is_month_end: bool, expected: dict[str, set[str]]
) -> None:
    blocking: dict[str, set[str]] = {}
    for check in DbtGraph(prepared, is_month_end).check_specs.values():
        if check.blocking:
            blocking.setdefault(check.asset_key.to_user_string(), set()).add(check.name)

    assert blocking == expected


def test_a_backfill_of_all_that_has_days_builds_everything(prepared: PreparedManifest) -> None:
    graph = DbtGraph(prepared)
    dated = {it.key for unique_id, it in graph.specs.items() if "seed." not in unique_id}

    # From Dagster's page: seeds have no partitions, so that a backfill of days has none of them.
    assert graph.selected(dated, set()) == []


def test_a_part_is_built_with_the_seeds_that_its_tests_read(prepared: PreparedManifest) -> None:
    graph = DbtGraph(prepared)

    selected = graph.selected({dg.AssetKey("quarantined_records")}, set())

    built = nodes_of_build(prepared.content, selected)
    nodes = prepared.content["nodes"]
    read = {
        parent
        for unique_id in built
        for parent in nodes[unique_id]["depends_on"].get("nodes", ())
        if parent.startswith("seed.")
    }
    assert read <= built
    assert "seed.lending_club.quarantine_reasons" in read


@pytest.mark.parametrize("macro", ["store_plainly", "join_as_written"])
def test_no_hook_sets_an_option_of_the_engine_that_another_thread_could_see(
    prepared: PreparedManifest, workspace: Workspace, macro: str
) -> None:
    warehouse = choose_warehouse(workspace.settings())

    def compiled(threads: int) -> str:
        (result,) = run_dbt(
            prepared,
            ["compile", "--inline", f"{{{{ {macro}() }}}}", "--threads", str(threads)],
            warehouse.dbt_environment(),
            lambda *_: None,
        )
        return result.compiled

    assert compiled(1).startswith("set disabled_")
    assert compiled(2) == ""
    warehouse.disconnect_dbt()
