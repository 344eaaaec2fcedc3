"""The business rules in SQL, proven by dbt's unit tests beside the models."""

import json
from typing import Any

from lending_club_pipeline.dbt_runner.invocation import run_dbt
from lending_club_pipeline.dbt_runner.manifest import PreparedManifest, prepare_manifest
from lending_club_pipeline.warehouse import choose_warehouse
from tests.workspaces import Workspace

# Each rule of the data model, by the unit test that proves it with rows at its boundaries.
RULES = (
    "a_customer_id_is_a_whole_number_from_1_to_the_largest_bigint",
    "any_other_customer_id_is_missing_or_not_a_whole_number",
    "an_account_names_its_customer_by_a_whole_number",
    "an_account_id_is_any_text_compared_by_bytes",
    "a_name_is_lower_case_with_single_spaces",
    "has_loan_is_yes_no_or_none",
    "any_other_has_loan_is_unrecognised",
    "a_balance_is_read_exactly_in_every_accepted_form",
    "a_balance_in_any_other_form_is_not_a_number",
    "a_balance_that_is_missing_negative_too_fine_or_too_large_says_so",
    "an_account_type_is_savings_or_checking",
    "customers_are_trimmed_of_all_25_white_space_characters_and_no_others",
    "accounts_are_trimmed_of_all_25_white_space_characters_and_no_others",
    "of_equal_customers_the_lowest_record_number_stays",
    "of_equal_accounts_the_lowest_record_number_stays",
    "customers_of_one_id_that_differ_or_are_invalid_are_all_in_conflict",
    "accounts_of_one_id_that_differ_or_are_invalid_are_all_in_conflict",
    "an_account_carries_all_its_reasons_sorted_by_name",
    "an_account_without_customer_says_whether_the_customer_is_quarantined",
    "an_account_is_joined_to_its_customer_of_the_same_delivery",
    "only_savings_accounts_bear_interest",
    "rates_apply_from_their_effective_date_on",
    "a_change_of_rates_changes_nothing_before_its_effective_date",
    "a_balance_earns_the_rate_of_its_tier_and_a_loan_adds_the_bonus",
    "interest_is_rounded_half_up_to_the_cent",
    "the_ledger_counts_rows_and_cents_at_every_stage",
    "one_missing_row_leaves_the_whole_delivery_open",
    "one_missing_cent_leaves_the_whole_delivery_open",
    "the_summary_is_that_of_the_newest_delivery_that_may_be_published",
    "a_delivery_may_be_published_if_its_ledger_closes_and_it_is_not_held",
    "a_delivery_is_compared_with_the_newest_one_before_it_that_is_not_held",
    "a_quarantined_record_keeps_its_fields_as_one_csv_record",
    "a_record_is_quarantined_where_it_stopped_with_all_its_reasons",
    "a_history_begins_with_the_first_delivery",
    "a_new_day_opens_changes_closes_and_reopens_accounts",
    "a_late_day_changes_only_the_days_until_the_next_known_one",
    "a_day_delivered_again_takes_back_what_it_had_changed",
    "two_days_at_once_are_one_after_the_other",
    "changes_are_counted_by_their_kind",
    "a_profile_tells_of_the_newest_closed_delivery",
    "interest_accrues_day_by_day_until_the_last_delivery_of_the_month",
)
# Those of rejected records come from the splitting of files, before dbt.
REASONS = (
    *("customer_id_missing", "customer_id_not_a_whole_number", "has_loan_unrecognised"),
    *("account_id_missing", "account_type_missing", "account_type_unrecognised"),
    *("balance_missing", "balance_not_a_number", "balance_negative", "balance_out_of_range"),
    *("balance_fraction_of_a_cent", "conflicting_duplicate"),
    *("customer_quarantined", "customer_not_found"),
)


def prepared(workspace: Workspace) -> PreparedManifest:
    settings = workspace.settings()
    return prepare_manifest(choose_warehouse(settings).dbt_environment(), settings.dbt_cache)


def unit_tests(workspace: Workspace) -> list[dict[str, Any]]:
    return list(prepared(workspace).content["unit_tests"].values())


def test_every_dbt_unit_test_passes(processed_workspace: Workspace) -> None:
    # dbt reads the types of the given rows from the relations, which a first run has made.
    workspace = processed_workspace
    warehouse = choose_warehouse(workspace.settings())

    results = run_dbt(
        prepared(workspace),
        ["test", "--select", "test_type:unit", "--no-write-json"],
        warehouse.dbt_environment(),
        lambda *_: None,
    )
    warehouse.disconnect_dbt()

    assert {it.unique_id: it.message for it in results if it.status != "pass"} == {}
    assert len(results) == len(unit_tests(workspace))


def test_every_rule_has_a_dbt_unit_test(workspace: Workspace) -> None:
    assert set(RULES) <= {it["name"] for it in unit_tests(workspace)}


def test_every_quarantine_reason_is_expected_by_a_dbt_unit_test(workspace: Workspace) -> None:
    expected = json.dumps([it["expect"]["rows"] for it in unit_tests(workspace)])

    assert [reason for reason in REASONS if reason not in expected] == []


def test_every_model_has_a_dbt_unit_test(workspace: Workspace) -> None:
    nodes = prepared(workspace).content["nodes"].values()
    models = {node["name"] for node in nodes if node["resource_type"] == "model"}

    assert models == {it["model"] for it in unit_tests(workspace)}
