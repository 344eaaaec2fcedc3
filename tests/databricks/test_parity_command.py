"""`lending-club parity` on the sample delivery."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from databricks_stand_in.client import WarehouseClient
from lending_club_pipeline.publish.output_files import OUTPUT_FILES
from tests.databricks.test_parity import RELATIONS

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.exhaustive


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the command keeps what it needs for a while."""
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def ended(shared_warehouse: WarehouseClient, scratch: Path) -> "subprocess.CompletedProcess[str]":
    """The command, run once. It cares for nothing but its environment."""
    return subprocess.run(
        # No last day of a month: what is made once a month is compared by the parity suite.
        [
            *(sys.executable, "-m", "lending_club_pipeline", "parity"),
            *("--inputs", ROOT / "data/inputs", "--as-of", "2026-03-30"),
        ],
        env={
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            **shared_warehouse.environment,
            "TMPDIR": str(scratch),
        },
        cwd=scratch,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )


def test_it_says_of_every_model_and_file_that_it_is_the_same(
    ended: "subprocess.CompletedProcess[str]",
) -> None:
    lines = ended.stdout.splitlines()

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert {line.split(":")[0] for line in lines[:-1]} == {
        f"✓ {name}" for name in (*RELATIONS - {"account_summary_monthly"}, *OUTPUT_FILES)
    }
    assert "✓ account_summary: 573 rows" in lines
    assert lines[-1] == "Both engines agree to the last digit."


def test_it_leaves_nothing_behind(
    ended: "subprocess.CompletedProcess[str]", shared_warehouse: WarehouseClient, scratch: Path
) -> None:
    assert ended.returncode == 0
    schemas = {row[0] for row in shared_warehouse.run("show schemas")}
    assert not [name for name in schemas if name.startswith(shared_warehouse.schema)]
    assert list(scratch.iterdir()) == []
