"""A landed delivery and a workspace in which a good run has published, to break something in."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from databricks_stand_in.workers import folder_of_all_workers, only_one
from lending_club_pipeline.config.settings import DataPlatformConfig
from tests.faults.landings import ACCOUNTS, CUSTOMERS, Landing
from tests.workspaces import Workspace


@pytest.fixture(scope="session")
def good_run(tmp_path_factory: pytest.TempPathFactory, prepared_dbt: Path) -> Workspace:
    """The one good run of all workers: copy it, never change it."""
    shared = folder_of_all_workers(tmp_path_factory)
    workspace, done = Workspace(shared / "good-run"), shared / "good-run.done"
    with only_one(shared / "good-run.lock"):
        if not done.exists():
            _process(workspace, prepared_dbt)
            done.touch()
    return workspace


def _process(workspace: Workspace, prepared_dbt: Path) -> None:
    shutil.rmtree(workspace.root, ignore_errors=True)
    shutil.copytree(prepared_dbt, workspace.settings().dbt_cache)
    workspace.deliver(CUSTOMERS, ACCOUNTS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(workspace.root)
        _use(workspace, patch)
        report = workspace.run()
    assert report.outcome == "success", report.message


@pytest.fixture
def after_good_run(
    good_run: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Workspace:
    """A copy of the good run, with a changed delivery that would change the outputs."""
    workspace = Workspace(tmp_path / "workspace")
    shutil.copytree(good_run.root, workspace.root)
    workspace.deliver(CUSTOMERS, ACCOUNTS.replace(b"100.00", b"300.00"))
    _use(workspace, monkeypatch)
    return workspace


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    """A delivery that was landed, to be delivered again in another shape."""
    landing = Landing(tmp_path)
    landing.deliver()
    landing.land()
    assert landing.landed_bytes()
    return landing


def _use(workspace: Workspace, patch: pytest.MonkeyPatch) -> None:
    """Let the environment name the workspace, as it does where the pipeline is used."""
    for name in DataPlatformConfig.variables():
        patch.delenv(name, raising=False)
    for name, value in workspace.environment().items():
        patch.setenv(name, value)


@pytest.fixture
def failure() -> Callable[..., str]:
    """Run a workspace; the run fails with one line and leaves the outputs as they are."""

    def run(workspace: Workspace, **overrides: object) -> str:
        before = workspace.output_bytes()
        report = workspace.run(**overrides)
        assert report.outcome == "failed"
        assert workspace.output_bytes() == before
        assert "\n" not in report.message
        return report.message

    return run
