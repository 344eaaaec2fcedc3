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
from lending_club_pipeline.config.settings import load_settings
from lending_club_pipeline.dbt_runner.manifest import prepare_manifest
from lending_club_pipeline.warehouse import choose_warehouse

settings = load_settings()
prepared = prepare_manifest(choose_warehouse(settings).dbt_environment(), settings.dbt_cache)
print(prepared.folder / "manifest.json")
"""


@pytest.fixture
def parsed_for_databricks(tmp_path: Path) -> dict[str, Any]:
    """The manifest for Databricks."""
    ended = subprocess.run(
        [sys.executable, "-c", PREPARE],
        env={
            "PATH": "",
            "HOME": str(tmp_path),
            "DATABASE_TYPE": "databricks",
            "DAGSTER_HOME": str(tmp_path),
            **DATABRICKS,
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    manifest: dict[str, Any] = json.loads(Path(ended.stdout.strip()).read_text())
    return manifest


@pytest.mark.exhaustive
def test_the_project_parses_for_both_engines_without_a_warning(
    prepared_dbt: Path, parsed_for_databricks: dict[str, Any]
) -> None:
    # The one that all tests use; it was parsed with warnings as errors, too.
    (prepared,) = prepared_dbt.glob("*/manifest.json")
    duckdb, databricks = json.loads(prepared.read_text()), parsed_for_databricks

    assert duckdb["metadata"]["adapter_type"] == "duckdb"
    assert databricks["metadata"]["adapter_type"] == "lendingclubdatabricks"
    for kind in ("nodes", "sources", "unit_tests", "exposures", "groups"):
        assert duckdb[kind].keys() == databricks[kind].keys()
    model = "model.lending_club.account_summary"
    assert duckdb["nodes"][model]["relation_name"] == '"lending_club"."main"."account_summary"'
    assert databricks["nodes"][model]["relation_name"] == "`bank`.`lending_club`.`account_summary`"
