"""Settings of the tools beside us, set to something harmful: the same bytes, and all dates kept."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from lending_club_pipeline.dbt_runner.evidence import expected_nodes
from lending_club_pipeline.dbt_runner.invocation import NodeResult, build_arguments, run_dbt
from lending_club_pipeline.dbt_runner.manifest import PreparedManifest, prepare_manifest
from lending_club_pipeline.defs.dbt import assets
from lending_club_pipeline.warehouse import choose_warehouse
from tests.unit.test_environments import DOCUMENTED, harmful
from tests.workspaces import Workspace

CUSTOMERS: Final = "1,Ada,Yes\n2,Bob,No\n"
ACCOUNTS: Final = (
    "A1,1,100.00,Savings\nA2,2,10000.00,Savings\nA3,2,20000.00,Checking\nA4,9,1,Savings\n"
)
DAYS: Final = (dt.date(2026, 1, 30), dt.date(2026, 1, 31))
ALL_DATES: Final = (
    *("account_summary_daily", "account_summary_by_tier", "delivery_ledger"),
    *("delivery_movements", "delivery_changes", "quarantined_records"),
)
# Read by Dagster when it is imported, when it loads definitions, and when it runs them.
DAGSTER: Final = (
    *("DAGSTER_DST_SAFE_STRPTIME_LRU_CACHE_SIZE", "DAGSTER_EVENT_BATCH_SIZE"),
    *("DAGSTER_DEFAULT_IO_MANAGER_MODULE", "DAGSTER_DEFAULT_IO_MANAGER_ATTRIBUTE"),
    *("DAGSTER_DEFS_STATE_INFO_OVERRIDE_PATH", "DAGSTER_INSTANCE_REF", "DAGSTER_IS_DEV_CLI"),
)
HARMFUL: Final = {
    "refresh": {"DBT_FULL_REFRESH": "1", "DBT_ENGINE_FULL_REFRESH": "1"},
    "no tests": {"DBT_EXCLUDE_RESOURCE_TYPES": "test"},
    "a profile": {"DBT_PROFILE": "x", "DBT_ENGINE_TARGET": "x"},
    "no rows": {"DBT_EMPTY": "1", "DBT_SAMPLE": "1 day", "DBT_INTROSPECT": "false"},
    "everything of dbt": {name: harmful(name) for name in DOCUMENTED},
    "Dagster": dict.fromkeys(DAGSTER, "x"),
    "Python": {"PYTHONOPTIMIZE": "2", "PYTHONWARNINGS": "error", "PYTHONUTF8": "0"},
    "the machine": {"LC_ALL": "C", "TZ": "Pacific/Auckland", "PYTHONIOENCODING": "ascii"},
}
AT_ONCE: Final = {name: value for kind in HARMFUL.values() for name, value in kind.items()}


@dataclass(frozen=True)
class Published:
    """What a clean environment makes of two days, and where."""

    workspace: Workspace
    outputs: dict[str, bytes]
    dates: dict[str, list[dt.date]]


@pytest.fixture(scope="module")
def published(new_workspace: Callable[[str], Workspace]) -> Published:
    workspace = new_workspace("foreign-settings")
    for day in DAYS:
        workspace.deliver(CUSTOMERS, ACCOUNTS, day)
    assert workspace.run_range(*DAYS).outcomes == {"success"}
    return Published(workspace, outputs(workspace), dates(workspace))


def outputs(workspace: Workspace) -> dict[str, bytes]:
    """The published tables; the report says when it was made, and by which run."""
    return {it: bytes_ for it, bytes_ in workspace.output_bytes().items() if "summary." in it}


def dates(workspace: Workspace) -> dict[str, list[dt.date]]:
    warehouse = choose_warehouse(workspace.settings())
    with warehouse.session(read_only=True):
        return {
            table: [
                row["as_of_date"]
                for row in warehouse.fetch(f"select distinct as_of_date from {table} order by 1")
            ]
            for table in ALL_DATES
        }


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(AT_ONCE, id="at once"),
        *(
            pytest.param(given, id=kind, marks=pytest.mark.exhaustive)
            for kind, given in HARMFUL.items()
        ),
    ],
)
def test_settings_of_other_tools_change_nothing(
    published: Published, settings: dict[str, str]
) -> None:
    workspace = published.workspace

    # In a process of its own from the start: Python reads its variables when it begins.
    ended = workspace.cold_command("run", "--force", "--as-of", str(DAYS[-1]), **settings)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "every cent" in ended.stdout
    assert outputs(workspace) == published.outputs
    assert dates(workspace) == published.dates


def test_what_is_compared_holds_both_days(published: Published) -> None:
    assert published.outputs.keys() == {"account_summary.csv", "account_summary.parquet"}
    # Of the first delivery there is none before it.
    assert published.dates == {table: [*DAYS] for table in ALL_DATES} | {
        "delivery_changes": [DAYS[1]]
    }


def prepared(workspace: Workspace) -> PreparedManifest:
    settings = workspace.settings()
    environment = {**choose_warehouse(settings).dbt_environment(), **settings.dbt.environment}
    return prepare_manifest(environment, settings.dbt_cache)


def test_no_refresh_empties_a_table_that_holds_all_dates(workspace: Workspace) -> None:
    incremental = {
        node["name"]: node["config"].get("full_refresh")
        for node in prepared(workspace).content["nodes"].values()
        if node["config"].get("materialized") == "incremental"
    }

    assert incremental.keys() > {"account_summary_daily", "delivery_ledger", "account_history"}
    assert set(incremental.values()) == {False}


def test_dbt_has_a_result_of_exactly_what_it_must_and_warns_of_nothing(
    processed_workspace: Workspace,
) -> None:
    workspace = processed_workspace
    warehouse = choose_warehouse(workspace.settings())
    project = prepared(workspace)

    # Whatever dbt would warn of, deprecations included, is an error here.
    arguments = ["--warn-error", *build_arguments([DAYS[-1]])]
    results = run_dbt(project, arguments, warehouse.dbt_environment(), lambda *_: None)
    warehouse.disconnect_dbt()

    nodes = project.content["nodes"]
    warning = {it for it, node in nodes.items() if node["config"].get("severity") == "warn"}
    evaluated = {it.unique_id for it in results if it.status in {"success", "pass"}}
    assert evaluated - warning == expected_nodes(project.content)


@pytest.mark.parametrize(
    "left_out",
    [
        pytest.param("customer_profile", marks=pytest.mark.exhaustive),
        "every_row_and_cent_is_accounted_for",
        pytest.param("resource_type:test", marks=pytest.mark.exhaustive),
    ],
)
def test_a_run_whose_checks_did_not_run_publishes_nothing(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, left_out: str
) -> None:
    workspace.deliver(CUSTOMERS, ACCOUNTS)

    def run_without(
        project: PreparedManifest, arguments: Sequence[str], *others: object
    ) -> list[NodeResult]:
        # Whatever might make dbt leave something out: a bug, an option of tomorrow.
        return run_dbt(project, [*arguments, "--exclude", left_out], *others)  # type: ignore[arg-type]

    monkeypatch.setattr(assets, "run_dbt", run_without)
    report = workspace.run()

    assert report.outcome == "failed"
    assert "dbt did not run" in report.message
    assert "a check that did not run did not pass" in report.message
    assert not [*Path(workspace.outputs).glob("account_summary.*")]
