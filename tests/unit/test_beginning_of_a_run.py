"""What is missing is said before anything slow is loaded; then what will be done."""

import datetime as dt
import subprocess
import sys
from pathlib import Path

import pytest

from lending_club_pipeline.cli.announcement import announce, warn_of_memory
from lending_club_pipeline.config.settings import DataPlatformConfig, load_settings
from lending_club_pipeline.contract.errors import RefusedDeliveryError
from lending_club_pipeline.present.terminal import Progress

DAY = dt.date(2026, 1, 31)
RUN = """
import sys
from lending_club_pipeline.cli import cli
from lending_club_pipeline.contract.errors import PipelineError
try:
    cli(sys.argv[1:], standalone_mode=False)
except PipelineError as error:
    print(error)
print(sorted({"dagster", "dbt"} & sys.modules.keys()))
"""


@pytest.fixture
def settings(tmp_path: Path) -> DataPlatformConfig:
    return load_settings({"input_path": tmp_path / "inputs"})


def deliver(settings: DataPlatformConfig, *names: str, day: dt.date = DAY) -> None:
    folder = settings.deliveries.input_path / day.isoformat()
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch()


def test_a_missing_folder_is_said_before_anything_slow_is_loaded(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", RUN, "run", "--inputs", "nowhere"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    said, loaded = ended.stdout.splitlines()
    assert "nowhere: this folder does not exist" in said
    assert loaded == "[]"


def test_what_will_be_processed_is_said(settings: DataPlatformConfig) -> None:
    deliver(settings, "Customer.csv", "accounts.csv")
    deliver(settings, day=DAY - dt.timedelta(days=1))

    assert announce(settings, None, None, None) == (
        f"The delivery of {DAY} in {settings.deliveries.input_path}"
    )
    assert announce(settings, None, dt.date(2026, 1, 1), DAY) == (
        f"2 deliveries from 2026-01-30 through {DAY} in {settings.deliveries.input_path}"
    )


def test_where_nothing_lies_nothing_is_begun(settings: DataPlatformConfig) -> None:
    deliver(settings, "Customer.csv", "accounts.csv")

    for as_of, first in ((dt.date(2026, 1, 1), None), (None, dt.date(2026, 2, 1))):
        with pytest.raises(RefusedDeliveryError, match="there is no delivery"):
            announce(settings, as_of, first, None)
    with pytest.raises(RefusedDeliveryError, match="lies in the future"):
        announce(settings, dt.date(9999, 1, 1), None, None)


def test_a_delivery_that_is_not_whole_is_for_a_run_to_record(settings: DataPlatformConfig) -> None:
    deliver(settings, "Customer.csv")

    assert announce(settings, DAY, None, None).startswith(f"The delivery of {DAY}")


def test_too_high_a_memory_limit_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    warn_of_memory(load_settings({"memory_limit": "4096TiB"}))

    said = capsys.readouterr().err
    assert said.startswith("Warning: MEMORY_LIMIT=4096TiB is more than the ")
    assert "Set MEMORY_LIMIT lower, or" in said


@pytest.mark.parametrize(("is_quiet", "said"), [(False, "Landing\n"), (True, "")])
def test_quiet_progress_says_nothing(
    capsys: pytest.CaptureFixture[str], is_quiet: bool, said: str
) -> None:
    with Progress(is_quiet=is_quiet) as progress:
        progress.show("Landing")

    assert capsys.readouterr().err == said
