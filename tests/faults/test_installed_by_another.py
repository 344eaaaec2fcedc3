"""What is installed by one user and run by another: nothing is written into the package."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from lending_club_pipeline.contract.seeds import project_dir
from lending_club_pipeline.dbt_runner import manifest
from lending_club_pipeline.runs import doctor
from lending_club_pipeline.warehouse.duckdb import DuckDBWarehouse


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A copy of the dbt project into which nobody but root may write."""
    project = tmp_path / "site-packages" / "dbt"
    made_by_hand = shutil.ignore_patterns("target", "logs", "dbt_packages")
    shutil.copytree(project_dir(), project, ignore=made_by_hand)
    for path in (project, *project.rglob("*")):
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    return project


def state_of(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in (folder, *folder.rglob("*"))}


def test_dbt_writes_nothing_into_its_project(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest, "project_dir", lambda: installed)
    before = state_of(installed)
    warehouse = DuckDBWarehouse(tmp_path / "lending_club.duckdb", 2**28)

    prepared = manifest.prepare_manifest(warehouse.dbt_environment(), tmp_path / "cache")

    assert prepared.manifest.exists()
    assert state_of(installed) == before
    assert {path.name for path in prepared.folder.iterdir()} >= {"manifest.json"}
    assert not (prepared.folder / "logs").exists()


def test_doctor_tells_of_a_project_that_may_not_be_read_and_of_no_place_for_temporary_files(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "project_dir", lambda: installed)
    model = next(installed.rglob("account_summary.sql"))
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != model and allowed(path, mode))
    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", _no_place)

    findings = {
        it.subject: it for it in doctor.preflight_checks({"duckdb_path": tmp_path / "a.duckdb"})
    }

    assert findings["dbt project"].verdict == "problem"
    assert str(model) in findings["dbt project"].detail
    assert findings["temporary files"].verdict == "problem"
    assert "TMPDIR" in findings["temporary files"].detail


def _no_place(**_: object) -> None:
    raise FileNotFoundError(2, "No usable temporary directory found")
