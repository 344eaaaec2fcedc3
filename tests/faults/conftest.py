"""A workspace in which a good run has published its outputs, to break something in."""

import shutil
from pathlib import Path

import pytest

from lending_club_pipeline.settings import DataPlatformConfig
from tests.faults.landings import ACCOUNTS, CUSTOMERS
from tests.workspaces import Workspace


@pytest.fixture(scope="session")
def good_run(tmp_path_factory: pytest.TempPathFactory, prepared_dbt: Path) -> Workspace:
    """The one good run of a worker: copy it, never change it."""
    workspace = Workspace(tmp_path_factory.mktemp("good"))
    shutil.copytree(prepared_dbt, workspace.settings().dbt_cache)
    workspace.deliver(CUSTOMERS, ACCOUNTS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(workspace.root)
        for name in DataPlatformConfig.model_fields:
            patch.delenv(name.upper(), raising=False)
        report = workspace.run()
    assert report.outcome == "success", report.message
    return workspace


@pytest.fixture
def after_good_run(good_run: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the good run, with a changed delivery that would change the outputs."""
    shutil.copytree(good_run.root, tmp_path / "workspace")
    workspace = Workspace(tmp_path / "workspace")
    workspace.deliver(CUSTOMERS, ACCOUNTS.replace(b"100.00", b"300.00"))
    return workspace
