"""What README and docs show is what happens to the sample delivery, and to what is made of it."""

import datetime as dt
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from lending_club_pipeline.publish.manifest import read_manifest
from lending_club_pipeline.reconcile.ledger import read_ledger
from lending_club_pipeline.storage.folder_outputs import FolderOutputs
from lending_club_pipeline.synthetic.dirt import DIRT_KINDS
from lending_club_pipeline.warehouse import choose_warehouse
from tests.workspaces import Workspace

ROOT = Path(__file__).parents[2]


def block(page: str, begins: str) -> str:
    """The first block of a page of docs that begins with a text."""
    return (ROOT / page).read_text().partition(f"```{begins}")[2].partition("```")[0]


@pytest.fixture(scope="module")
def sample(
    new_workspace: Callable[[str], Workspace],
) -> tuple[Workspace, subprocess.CompletedProcess[str]]:
    """The sample delivery, processed by the command."""
    workspace = new_workspace("sample")
    ended = workspace.command("run", "--inputs", str(ROOT / "data" / "inputs"))
    assert ended.returncode == 0, ended.stderr
    return workspace, ended


def test_the_sample_delivery_gives_what_the_readme_shows(
    sample: tuple[Workspace, subprocess.CompletedProcess[str]],
) -> None:
    workspace, printed = sample
    shown = block("README.md", "\n  accounts.csv\n").replace(
        "…/data/outputs", str(workspace.outputs)
    )
    promised = shown.rstrip("\n").splitlines()

    lines = [line.rstrip() for line in printed.stdout.splitlines()]
    assert len(promised) > 30
    assert lines[-len(promised) :] == promised


def test_the_sample_delivery_shows_every_reason_but_the_record_that_is_too_long(
    sample: tuple[Workspace, subprocess.CompletedProcess[str]],
) -> None:
    workspace, _ = sample
    manifest = read_manifest(FolderOutputs(workspace.outputs))
    assert manifest is not None
    warehouse = choose_warehouse(workspace.settings())
    with warehouse.session(read_only=True):
        ledger = read_ledger(warehouse, dt.date.fromisoformat(manifest["as_of_date"]))

    assert ledger is not None
    assert ledger.is_closed
    expected = {reason for kind in DIRT_KINDS for reason in kind.reasons} - {"record_too_long"}
    assert {reason for _, reason in ledger.reasons} == expected


def test_what_is_said_into_a_pipe_is_short(
    sample: tuple[Workspace, subprocess.CompletedProcess[str]],
) -> None:
    _, printed = sample

    # No line for each model and test.
    assert "dbt built " in printed.stderr
    assert len(printed.stderr.splitlines()) < 15


def test_the_asset_that_the_docs_add_is_made_of_what_is_published(
    sample: tuple[Workspace, subprocess.CompletedProcess[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, _ = sample
    for name, value in workspace.environment().items():
        monkeypatch.setenv(name, value)
    mine: dict[str, Any] = {"__name__": "my_definitions"}
    exec(block("docs/extending.md", "python\n"), mine)  # noqa: S102 - it is our own page

    job = mine["definitions"]().resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        ended = job.execute_in_process(
            instance=instance, asset_selection=[dg.AssetKey("interest_by_customer")]
        )

    (made,) = ended.get_asset_materialization_events()
    assert made.asset_key == dg.AssetKey("interest_by_customer")
