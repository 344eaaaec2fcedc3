"""What is borrowed from libraries without being documented, and what of it is needed.

Each stands here once, so that an upgrade that takes it away fails in a second, with its reason.
"""

import inspect
import uuid
from dataclasses import fields
from pathlib import Path

import dagster as dg
import dbt.adapters.databricks
from dagster._core.storage.event_log import EventLogStorage
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from databricks.sdk import oauth
from databricks.sql import client, session
from databricks.sql.backend import thrift_backend
from dbt.adapters.base import BaseAdapter
from dbt.adapters.databricks.connections import DatabricksConnectionManager
from dbt.adapters.databricks.credentials import DatabricksCredentialManager, DatabricksCredentials
from dbt.adapters.databricks.handle import SqlUtils
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.include import global_project
from dbt.task import seed

from lending_club_pipeline import defs
from lending_club_pipeline.defs.instance import keeping_open, open_instance


def source_of(thing: object) -> str:
    """Return the text of a module, a class or a function."""
    return inspect.getsource(thing)  # type: ignore[arg-type]


# --- options of the SQL connector, in `warehouse/databricks/connections.py` and `dbt/profiles.yml`


def test_the_connector_sends_nothing_again_that_ran() -> None:
    # `_enable_v3_retries`. A run does not rest on it: each of its statements may be sent twice
    # (tests/databricks/test_interrupted_runs.py).
    assert 'kwargs.get("_enable_v3_retries", True)' in source_of(thrift_backend)


def test_the_connector_takes_its_patience_from_us() -> None:
    text = source_of(thrift_backend)

    for option in ("_retry_stop_after_attempts_duration", "_respect_server_retry_after_header"):
        assert f'"{option}"' in text


def test_the_connector_takes_address_certificates_and_the_time_of_a_request_from_us() -> None:
    # A host with a port, the certificates of a company, and no waiting for ever.
    assert 'kwargs.get("_connection_uri")' in source_of(thrift_backend)
    assert 'kwargs.get("_socket_timeout"' in source_of(thrift_backend)
    assert 'kwargs.get("_tls_trusted_ca_file")' in source_of(session)


def test_the_connector_makes_rows_without_pandas() -> None:
    assert 'kwargs.get("_disable_pandas", False)' in source_of(client)


def test_query_tags_of_a_session_can_be_given() -> None:
    assert "query_tags" in inspect.signature(client.Connection.__init__).parameters


# --- how both connections sign in


def test_a_service_principal_signs_in_at_an_address_that_is_given() -> None:
    needed = {"client_id", "client_secret", "token_url", "scopes", "use_header"}

    assert needed <= {field.name for field in fields(oauth.ClientCredentials)}


def test_dbt_databricks_asks_its_credentials_for_the_headers_of_each_request() -> None:
    # src/dbt/adapters/lendingclubdatabricks: dbt's own way to sign in is never used.
    opened = source_of(DatabricksConnectionManager.open)
    assert "creds.authenticate()" in opened
    assert "creds_manager.credentials_provider" in source_of(SqlUtils.prepare_connection_arguments)
    assert "header_factory" in source_of(DatabricksCredentialManager)
    for name in ("get_invocation_env", "get_all_http_headers"):
        assert name in source_of(SqlUtils.prepare_connection_arguments)
        assert hasattr(DatabricksCredentials, name)


def test_every_statement_of_dbt_goes_through_one_method() -> None:
    # Before each, the adapter makes sure that the lease is still ours.
    assert "self.add_query(" in source_of(DatabricksConnectionManager.execute)
    assert "handle.execute(" not in source_of(DatabricksConnectionManager.execute)


def test_dbt_finds_our_adapter_by_the_name_of_its_class() -> None:
    assert '.split("Adapter")' in source_of(BaseAdapter.get_adapter_run_info)


# --- macros of dbt-databricks that our adapter's materializations use


def test_the_macros_are_there_that_our_materializations_use() -> None:
    macros = Path(dbt.adapters.databricks.__file__).parents[2] / "include" / "databricks"
    text = "".join(path.read_text() for path in macros.rglob("*.sql"))

    # dbt/macros/materializations/view.sql: where a view has to be made, dbt-databricks makes it.
    assert "{% materialization view, adapter='databricks' -%}" in text
    assert "{% macro databricks__create_view_as(relation, sql) %}" in text
    assert "get_create_view_as_sql(target_relation, sql)" in text
    # dbt/macros/materializations/contracts.sql: columns with their constraints and comments.
    for macro in (
        "parse_model_columns_and_constraints(existing_columns)",
        "get_column_and_constraints_sql(relation, columns)",
        "apply_tags(relation, set_tags)",
        "liquid_clustered_cols()",
        "databricks__comment_clause()",
    ):
        assert f"macro {macro}" in text


def test_what_our_materializations_say_is_known_to_dbt() -> None:
    # A seed hands its rows on, and what did nothing says so.
    assert '["load_result"]("agate_table")' in source_of(seed)
    macros = Path(global_project.__file__).parent / "macros" / "etc" / "statement.sql"
    assert "macro noop_statement(name=None, message=None, code=None, rows_affected" in (
        macros.read_text()
    )


# --- what an embedded dbt leaves open


def test_connections_of_dbt_duckdb_can_be_closed() -> None:
    assert callable(DuckDBConnectionManager.close_all_connections)


# --- what Dagster knows and does not document


def test_dagster_can_be_asked_for_checks_and_daemons_at_once() -> None:
    # defs/operating: measurements and alerts. One question for all checks, instead of one for each.
    assert callable(EventLogStorage.get_asset_check_summary_records)
    assert callable(dg.DagsterInstance.get_daemon_statuses)
    assert isinstance(inspect.getattr_static(dg.DagsterInstance, "event_log_storage"), property)


def test_definitions_list_their_checks() -> None:
    @dg.asset_check(asset="balances")
    def is_exact() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    definitions = dg.Definitions(assets=[dg.AssetSpec("balances")], asset_checks=[is_exact])

    keys = definitions.get_repository_def().asset_graph.asset_check_keys
    assert [it.name for it in keys] == ["is_exact"]


def test_dagster_keeps_no_output_of_processes_if_told_so() -> None:
    # defs/dagster.yaml. Dagster's documentation names the class for this.
    configuration = (Path(defs.__file__).parent / "dagster.yaml").read_text()
    assert f"module: {NoOpComputeLogManager.__module__}\n" in configuration


# --- where Dagster keeps a history in SQLite, in `defs/instance.py`


def test_the_events_of_a_run_are_written_into_two_databases_that_can_be_kept_open(
    tmp_path: Path,
) -> None:
    # `keeping_open`. Elsewhere, a run of the sample would take a tenth longer, and nothing else.
    run_id = str(uuid.uuid4())
    with open_instance(tmp_path) as instance:
        runs = tmp_path / "history" / "runs"
        with keeping_open(tmp_path, run_id):
            instance.report_engine_event("begun", run_id=run_id, job_name="process_delivery")
            logs = {it.name for it in runs.glob("*.db-wal")}

            assert logs == {"index.db-wal", f"{run_id}.db-wal"}
            assert (runs / f"{run_id}.db-wal").stat().st_size > 0

        assert not list(runs.glob("*.db-wal"))
        assert [it.message for it in instance.all_logs(run_id)] == ["begun"]


def test_a_history_that_is_kept_elsewhere_is_left_alone(tmp_path: Path) -> None:
    with keeping_open(tmp_path, "1"):
        assert not list(tmp_path.iterdir())
