"""The dbt project's assets: translated by dagster-dbt once, read by every run after that."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from lending_club_pipeline.contract.errors import TransformationError
from lending_club_pipeline.contract.seeds import project_dir
from lending_club_pipeline.dbt_runner.manifest import PreparedManifest
from lending_club_pipeline.defs.dbt.specs import translate, translated
from lending_club_pipeline.defs.dbt.translator import LendingClubDbtTranslator
from tests.workspaces import AS_OF, Workspace


@pytest.fixture
def prepared(prepared_dbt: Path, tmp_path: Path) -> PreparedManifest:
    """A parsed project that was never translated."""
    (folder,) = prepared_dbt.iterdir()
    copy = tmp_path / "prepared"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("assets-*"))
    return PreparedManifest(project_dir(), copy)


def shown(spec: dg.AssetSpec) -> dict[str, Any]:
    """All that Dagster shows of an asset."""
    return {
        "key": spec.key,
        "deps": [dep.asset_key for dep in spec.deps],
        "description": spec.description,
        "group": spec.group_name,
        "owners": spec.owners,
        "kinds": spec.kinds,
        "tags": spec.tags,
        "code_version": spec.code_version,
        "columns": spec.metadata.get("dagster/column_schema"),
        "table": spec.metadata.get("dagster/table_name"),
        "storage": spec.metadata.get("dagster/storage_kind"),
    }


def test_kept_assets_are_what_dagster_dbt_makes_of_the_project(prepared: PreparedManifest) -> None:
    translate(prepared)

    kept = translate(prepared)

    translator = LendingClubDbtTranslator()
    for unique_id, spec in kept.items():
        fresh = translator.get_asset_spec(prepared.content, unique_id, None)
        assert shown(spec) == shown(fresh)
    nodes = prepared.content["nodes"].items()
    assert kept.keys() == {it for it, node in nodes if node["resource_type"] in ("model", "seed")}


def test_something_of_an_asset_that_would_be_lost_is_an_error(
    prepared: PreparedManifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def condition(_: object, __: Mapping[str, Any]) -> dg.AutomationCondition:
        return dg.AutomationCondition.eager()

    monkeypatch.setattr(LendingClubDbtTranslator, "get_automation_condition", condition)

    with pytest.raises(TransformationError, match="does not keep"):
        translated(prepared.content)


def test_a_translation_that_fails_says_why_and_is_not_kept(prepared: PreparedManifest) -> None:
    content = prepared.manifest.read_bytes()
    prepared.manifest.write_bytes(content[:-100])

    with pytest.raises(TransformationError, match=r"specs ended early.*JSONDecodeError"):
        translate(prepared)

    assert not list(prepared.folder.glob("assets-*"))


@pytest.mark.exhaustive
@pytest.mark.parametrize("run", ["first", "second"])
def test_a_run_imports_nothing_that_others_can_do_without(
    processed_workspace: Workspace, run: str
) -> None:
    workspace = processed_workspace
    workspace.deliver("1,Ada,yes\n", "A1,1,5,Savings\n")
    script = (
        "import sys; from lending_club_pipeline.cli import cli; "
        f"cli(['run', '--as-of', '{AS_OF}'], standalone_mode=False); "
        "unwanted = {'dagster_dbt', 'sqlglot', 'pyarrow', 'pandas'} & sys.modules.keys(); "
        "sys.exit(' '.join(unwanted) or 0)"
    )
    if run == "first":
        kept = {path.name: path for path in workspace.settings().dbt_cache.glob("*/*.json")}
        del kept["manifest.json"]
        for path in kept.values():
            path.unlink()
        assert "column_lineage.json" in kept

    ended = subprocess.run(
        [sys.executable, "-c", script],
        env=workspace.environment(),
        cwd=workspace.root,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
