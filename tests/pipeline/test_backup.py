"""The commands of docs/backup.md, and the next run, restore what was lost."""

import datetime as dt
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.test_docs_examples import ROOT

FIRST, SECOND, THIRD = (dt.date(2026, 1, day) for day in (29, 30, 31))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the default layout: two days that were backed up, and one after them."""
    deliver(tmp_path, FIRST, "A,1,100.00,Savings\n")
    deliver(tmp_path, SECOND, "A,1,150.00,Savings\n")
    run_commands(tmp_path, f"lending-club run --from {FIRST} --to {SECOND}")
    back_up, _ = commands_of("One machine")
    run_commands(tmp_path, back_up)
    deliver(tmp_path, THIRD, "A,1,175.00,Savings\nB,1,10.00,Checking\n")
    run_commands(tmp_path, "lending-club run")
    return tmp_path


def deliver(project: Path, day: dt.date, accounts: str) -> None:
    folder = project / "data" / "inputs" / day.isoformat()
    folder.mkdir(parents=True)
    (folder / "Customer.csv").write_text("CustomerID,Name,HasLoan\n1,Ada,Yes\n")
    (folder / "accounts.csv").write_text(f"AccountID,CustomerID,Balance,AccountType\n{accounts}")


def commands_of(section: str) -> list[str]:
    """Return the shell commands of a section of the page."""
    page = (ROOT / "docs" / "backup.md").read_text()
    text = page.partition(f"## {section}\n")[2].partition("\n## ")[0]
    return [it.partition("```")[0] for it in text.split("```sh\n")[1:]]


def run_commands(folder: Path, text: str) -> str:
    ours = {"INPUT_PATH", "OUTPUT_PATH", "DUCKDB_PATH", "DAGSTER_HOME", "LANDING_PATH"}
    environment = {name: it for name, it in os.environ.items() if name not in ours}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    ended = subprocess.run(
        ["sh", "-e", "-c", text],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def published(project: Path) -> dict[str, bytes]:
    # The manifest names the run, and the report when it was.
    return {it.name: it.read_bytes() for it in project.glob("data/outputs/account_summary.*")}


@pytest.mark.exhaustive
@pytest.mark.parametrize("lost", ["everything", "the history of runs, too"])
def test_a_restored_warehouse_goes_on_from_where_it_was(project: Path, lost: str) -> None:
    before = published(project)
    histories = run_commands(project, "lending-club explain A")
    _, restore = commands_of("One machine")
    shutil.rmtree(project / "data" / "outputs")
    if lost != "everything":
        restore = restore.replace("lending-club status", "rm -r .dagster; lending-club status")

    said = run_commands(project, restore)

    assert f"{THIRD}" in said
    assert published(project) == before
    assert run_commands(project, "lending-club explain A") == histories
