"""A landed delivery and a workspace in which a good run has published, to break something in."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lending_club_pipeline.config.settings import DataPlatformConfig
from tests.faults.landings import ACCOUNTS, CUSTOMERS, Landing
from tests.workspaces import Workspace


@pytest.fixture
def after_good_run(processed_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A copy of the good run, with a changed delivery that would change the outputs."""
    processed_workspace.deliver(CUSTOMERS, ACCOUNTS.replace(b"100.00", b"300.00"))
    _use(processed_workspace, monkeypatch)
    return processed_workspace


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
    for name, value in workspace.variables().items():
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
