"""The dbt project reads the same for both engines, without a warning and without a connection."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DATABRICKS = {
    "DATABRICKS_HOST": "workspace.invalid",
    "DATABRICKS_HTTP_PATH": "/sql/1.0/warehouses/none",
    "DATABRICKS_TOKEN": "not-a-token",
    "DATABRICKS_CATALOG": "bank",
    "DATABRICKS_SCHEMA": "lending_club",
}
# A process of its own: dbt keeps the engine that it began with.
PREPARE = """
from lending_club_pipeline.settings import load_settings
from lending_club_pipeline.transformation.manifests import prepare_manifest
from lending_club_pipeline.warehouse import choose_warehouse

settings = load_settings()
prepared = prepare_manifest(choose_warehouse(settings).dbt_environment(), settings.dbt_cache)
print(prepared.folder / "manifest.json")
"""


@pytest.fixture
def parse(tmp_path: Path) -> dict[str, dict[str, Any]]:
    """Manifests by engine, parsed at the same time into folders of their own."""
    processes = {}
    for engine, variables in (("duckdb", {}), ("databricks", DATABRICKS)):
        home = tmp_path / engine
        home.mkdir()
        processes[engine] = subprocess.Popen(
            [sys.executable, "-c", PREPARE],
            env={
                "PATH": "",
                "HOME": str(home),
                "DATABASE_TYPE": engine,
                "DAGSTER_HOME": str(home),
                # Whatever dbt would warn of, deprecations included, is an error here.
                "DBT_WARN_ERROR": "true",
                **variables,
            },
            cwd=home,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    manifests = {}
    for engine, process in processes.items():
        output, errors = process.communicate(timeout=300)
        assert process.returncode == 0, f"{engine}: {errors}"
        manifests[engine] = json.loads(Path(output.strip()).read_text())
    return manifests


def test_the_project_parses_for_both_engines_without_a_warning(
    parse: dict[str, dict[str, Any]],
) -> None:
    duckdb, databricks = parse["duckdb"], parse["databricks"]

    assert duckdb["metadata"]["adapter_type"] == "duckdb"
    assert databricks["metadata"]["adapter_type"] == "databricks"
    for kind in ("nodes", "sources", "unit_tests", "exposures", "groups"):
        assert duckdb[kind].keys() == databricks[kind].keys()
    model = "model.lending_club.account_summary"
    assert duckdb["nodes"][model]["relation_name"] == '"lending_club"."main"."account_summary"'
    assert databricks["nodes"][model]["relation_name"] == "`bank`.`lending_club`.`account_summary`"
