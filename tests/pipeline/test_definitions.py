"""What Dagster shows: assets, checks, metadata, schedule and sensor."""

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from lending_club_pipeline.defs.instance import opened_history
from lending_club_pipeline.defs.project import build_definitions
from lending_club_pipeline.defs.sensors import build_delivery_sensor
from tests.workspaces import AS_OF, Workspace

CUSTOMERS = "1,Ottoline Zwicky,yes\n2,Quirin Xylander,maybe\n"
ACCOUNTS = "A1,1,9999.99,Savings\nA2,1,10000,Checking\nA3,2,5,Savings\nA4,1\n"
NAMED_BY_THE_DESIGN = {
    "customers_raw": "raw",
    "accounts_raw": "raw",
    "interest_rate_tiers": "reference_data",
    "loan_bonus_rates": "reference_data",
    "stg_customers__cleaned": "staging",
    "stg_accounts__cleaned": "staging",
    "int_accounts__with_customer": "intermediate",
    "int_savings_accounts_only": "intermediate",
    "account_summary": "marts",
    "delivery_ledger": "marts",
    "account_summary_csv": "outputs",
    "account_summary_parquet": "outputs",
    "quarantine_csv": "outputs",
    "delivery_report": "outputs",
}


@pytest.fixture(scope="module")
def repository(
    tmp_path_factory: pytest.TempPathFactory, prepared_dbt: Path
) -> dg.RepositoryDefinition:
    workspace = Workspace(tmp_path_factory.mktemp("definitions"))
    settings = workspace.settings(dagster_home=prepared_dbt.parent)
    return build_definitions(settings).get_repository_def()


@pytest.fixture(scope="module")
def processed(new_workspace: Callable[[str], Workspace]) -> Workspace:
    """A workspace after a run."""
    workspace = new_workspace("processed")
    workspace.deliver(CUSTOMERS, ACCOUNTS)
    report = workspace.run()
    assert report.outcome == "success", report.message
    return workspace


@pytest.fixture(scope="module")
def events(processed: Workspace) -> dict[str, dict[str, dg.MetadataValue]]:
    """Metadata of every asset after a run, as Dagster's event log has it."""
    with opened_history(processed.settings()) as instance:
        (run,) = instance.get_runs()
        records = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
        return {
            record.get_dagster_event().asset_key.to_user_string(): dict(
                record.get_dagster_event().materialization.metadata
            )
            for record in records
        }


def specs_of(repository: dg.RepositoryDefinition) -> dict[str, dg.AssetSpec]:
    return {
        spec.key.to_user_string(): spec
        for asset in repository.assets_defs_by_key.values()
        for spec in asset.specs
    }


def test_assets_have_the_names_and_layers_of_the_design(
    repository: dg.RepositoryDefinition,
) -> None:
    groups = {name: spec.group_name for name, spec in specs_of(repository).items()}

    assert groups.items() >= NAMED_BY_THE_DESIGN.items()


def test_each_layer_follows_the_one_before_and_none_stands_alone(
    repository: dg.RepositoryDefinition,
) -> None:
    specs = specs_of(repository)
    before: dict[str, set[str]] = {str(spec.group_name): set() for spec in specs.values()}
    for spec in specs.values():
        parents = {specs[dep.asset_key.to_user_string()].group_name for dep in spec.deps}
        before[str(spec.group_name)] |= {str(it) for it in parents - {spec.group_name}}

    assert before == {
        "raw": set(),
        "reference_data": set(),
        "staging": {"raw"},
        "intermediate": {"raw", "reference_data", "staging"},
        "marts": {"raw", "reference_data", "staging", "intermediate"},
        "outputs": {"marts"},
    }


def test_every_asset_says_what_it_is_who_owns_it_and_of_which_kind(
    repository: dg.RepositoryDefinition,
) -> None:
    for name, spec in specs_of(repository).items():
        assert spec.description, name
        assert spec.owners, name
        assert spec.kinds, name


def test_the_summary_descends_from_both_delivered_files(
    repository: dg.RepositoryDefinition,
) -> None:
    graph = repository.asset_graph
    ancestors = graph.get_ancestor_asset_keys(dg.AssetKey("account_summary_csv"))

    assert {dg.AssetKey("customers_raw"), dg.AssetKey("accounts_raw")} <= ancestors


def test_checks_that_prove_completeness_block_what_follows(
    repository: dg.RepositoryDefinition,
) -> None:
    blocking = {
        (spec.asset_key.to_user_string(), spec.name)
        for asset in repository.assets_defs_by_key.values()
        for spec in asset.check_specs
        if spec.blocking
    }

    assert ("customers_raw", "every_physical_line_is_accounted_for") in blocking
    assert ("accounts_raw", "every_physical_line_is_accounted_for") in blocking
    assert any(asset == "delivery_ledger" for asset, _ in blocking)
    # It may be right, and only warns.
    assert "the_last_line_is_ended" not in {name for _, name in blocking}


def test_every_check_says_what_it_proves(repository: dg.RepositoryDefinition) -> None:
    undescribed = {
        spec.name
        for asset in repository.assets_defs_by_key.values()
        for spec in asset.check_specs
        if not spec.description
    }

    assert undescribed == set()


def test_every_table_and_file_says_how_long_it_took(
    events: dict[str, dict[str, dg.MetadataValue]],
) -> None:
    quick = {"rejected_records", "delivered_files"}
    inlined = {name for name in events if name.startswith("int_")}

    for name in events.keys() - quick - inlined:
        seconds = float(str(events[name]["duration_seconds"].value))
        assert seconds >= 0, name
        assert seconds == round(seconds, 3), name


@pytest.mark.parametrize(
    ("file", "mart"),
    [
        ("account_summary_csv", "account_summary"),
        ("account_summary_parquet", "account_summary"),
        ("quarantine_csv", "quarantined_records"),
    ],
)
def test_columns_of_a_file_descend_from_those_of_its_mart(
    events: dict[str, dict[str, dg.MetadataValue]],
    repository: dg.RepositoryDefinition,
    file: str,
    mart: str,
) -> None:
    lineage = events[file]["dagster/column_lineage"].value
    columns = specs_of(repository)[file].metadata["dagster/column_schema"].columns

    assert set(lineage.deps_by_column) == {column.name for column in columns}
    for column, deps in lineage.deps_by_column.items():
        assert [(dep.asset_key, dep.column_name) for dep in deps] == [(dg.AssetKey(mart), column)]


def test_every_asset_but_the_report_has_rows_after_a_run(
    events: dict[str, dict[str, dg.MetadataValue]],
) -> None:
    without = {name for name, metadata in events.items() if "dagster/row_count" not in metadata}

    # Ephemeral models have no relation whose rows could be counted; these views would be computed.
    assert without == {
        "account_changes",
        "account_interest",
        "customer_profile",
        "delivery_report",
        "int_accounts__with_customer",
        "int_accounts__without_customer",
        "int_deliveries_measured",
        "int_interest_rates__by_period",
        "int_interest_rates__in_force",
        "int_savings_accounts_only",
    }


def test_published_files_have_size_checksum_duration_and_preview(
    events: dict[str, dict[str, dg.MetadataValue]], processed: Workspace
) -> None:
    metadata = events["account_summary_csv"]

    path = processed.outputs / "account_summary.csv"
    assert metadata["size_bytes"].value == path.stat().st_size
    assert len(str(metadata["sha256"].value)) == 64
    assert float(str(metadata["duration_seconds"].value)) > 0
    assert "| 1 | A1 | 9999.99 | 0.0150 | 150.00 | 10149.99 |" in str(metadata["preview"].value)


def test_columns_have_types_descriptions_and_lineage(
    events: dict[str, dict[str, dg.MetadataValue]],
) -> None:
    metadata = events["account_summary"]

    schema = metadata["dagster/column_schema"].value
    assert isinstance(schema, dg.TableSchema)
    rate = next(column for column in schema.columns if column.name == "interest_rate")
    assert rate.type == "decimal(6,4)"
    assert "base rate of the balance's tier" in (rate.description or "")
    lineage = events["account_summary_daily"]["dagster/column_lineage"].value
    assert isinstance(lineage, dg.TableColumnLineage)
    parents = {dep.asset_key.to_user_string() for dep in lineage.deps_by_column["interest_rate"]}
    assert parents == {"int_savings_accounts_only", "int_interest_rates__in_force"}


def test_personal_data_is_in_no_preview(
    events: dict[str, dict[str, dg.MetadataValue]],
) -> None:
    shown = " ".join(str(it.value).lower() for found in events.values() for it in found.values())

    assert not any(name in shown for name in ("ottoline", "zwicky", "quirin", "xylander"))


def test_nothing_that_can_be_materialized_deletes_records(
    repository: dg.RepositoryDefinition,
) -> None:
    job = repository.get_job("drop_expired_data")

    assert job.asset_layer.executable_asset_keys == set()
    assert "retention" not in {spec.group_name for spec in specs_of(repository).values()}


def test_schedule_and_sensor_are_shipped_stopped(repository: dg.RepositoryDefinition) -> None:
    schedule = repository.get_schedule_def("daily_delivery_schedule")
    sensor = repository.get_sensor_def("new_delivery_sensor")

    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
    assert sensor.default_status == dg.DefaultSensorStatus.STOPPED


def test_the_schedule_asks_for_the_delivery_of_its_day(
    repository: dg.RepositoryDefinition,
) -> None:
    context = dg.build_schedule_context(
        scheduled_execution_time=dt.datetime(2026, 1, 31, 6, tzinfo=dt.UTC),
        repository_def=repository,
    )

    data = repository.get_schedule_def("daily_delivery_schedule").evaluate_tick(context)

    assert [request.partition_key for request in data.run_requests] == ["2026-01-31"]


def test_the_sensor_runs_a_delivery_once_until_it_changes(
    repository: dg.RepositoryDefinition, workspace: Workspace
) -> None:
    sensor = build_delivery_sensor(workspace.settings(sensor_settle_seconds=0))
    workspace.deliver(CUSTOMERS, ACCOUNTS)

    def keys() -> list[str | None]:
        with dg.build_sensor_context(
            dg.DagsterInstance.ephemeral(), repository_def=repository
        ) as context:
            return [request.run_key for request in sensor.evaluate_tick(context).run_requests]

    first = keys()
    assert len(first) == 1
    assert keys() == first
    workspace.deliver(CUSTOMERS, ACCOUNTS + "A9,1,1,Savings\n")
    assert keys() != first


@pytest.mark.exhaustive
def test_a_run_that_the_sensor_asks_for_processes_its_date(workspace: Workspace) -> None:
    workspace.deliver(CUSTOMERS, ACCOUNTS)
    definitions = build_definitions(workspace.settings())

    result = definitions.resolve_job_def("process_delivery").execute_in_process(
        partition_key=AS_OF.isoformat()
    )

    assert result.success
    assert (workspace.outputs / "account_summary.csv").exists()


def test_a_refused_delivery_fails_with_one_line_its_place_and_what_to_do(
    workspace: Workspace,
) -> None:
    folder = workspace.deliver('1,"Ada,Yes\n2,Grace,No\n', ACCOUNTS)
    definitions = build_definitions(workspace.settings())

    result = definitions.resolve_job_def("process_delivery").execute_in_process(
        partition_key=AS_OF.isoformat(), raise_on_error=False
    )

    (failure,) = (event.step_failure_data for event in result.all_events if event.is_step_failure)
    assert failure.error is not None
    assert failure.error.cause is None
    assert failure.user_failure_data is not None
    description = str(failure.user_failure_data.description)
    assert description.startswith(f"{folder / 'Customer.csv'}, line 2: ")
    assert "\n" not in description
    metadata = {name: it.value for name, it in failure.user_failure_data.metadata.items()}
    assert (metadata["file"], metadata["line"]) == (str(folder / "Customer.csv"), 2)
    assert description.endswith(str(metadata["what_to_do"]))


def test_definitions_load_in_a_fresh_process_without_work_on_import(tmp_path: Path) -> None:
    script = (
        "import lending_club_pipeline.definitions, sys, os; "
        "sys.exit('dbt.cli.main' in sys.modules or len(os.listdir('.')))"
    )

    result = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env={**os.environ}, check=False
    )

    assert result.returncode == 0


@pytest.mark.parametrize(
    ("selection", "materialized", "checked"),
    [
        pytest.param(
            dg.AssetSelection.assets("account_summary_daily"),
            {"account_summary_daily"},
            {"interest_follows_from_the_rates_in_force"},
            id="one model and its checks",
        ),
        pytest.param(
            dg.AssetSelection.checks_for_assets("delivery_ledger"),
            set(),
            {"every_row_and_cent_is_accounted_for"},
            id="checks alone",
        ),
        pytest.param(
            dg.AssetSelection.assets("account_summary_csv", "delivery_report"),
            {"account_summary_csv", "delivery_report"},
            set(),
            id="some of the outputs",
        ),
    ],
)
def test_a_part_of_the_graph_can_be_run_by_itself(
    processed: Workspace,
    selection: dg.AssetSelection,
    materialized: set[str],
    checked: set[str],
) -> None:
    before = processed.output_bytes()
    definitions = build_definitions(processed.settings())
    job = dg.define_asset_job("part", selection)

    part = dg.Definitions.merge(definitions, dg.Definitions(jobs=[job])).resolve_job_def("part")

    # Dagster runs checks that are asked for alone without a partition.
    key = AS_OF.isoformat() if part.partitions_def else None
    result = part.execute_in_process(partition_key=key)

    assert {
        event.asset_key.to_user_string() for event in result.get_asset_materialization_events()
    } == materialized
    assert {it.check_name for it in result.get_asset_check_evaluations()} >= checked
    assert processed.output_bytes().keys() == before.keys()
    assert processed.output_bytes()["account_summary.csv"] == before["account_summary.csv"]
