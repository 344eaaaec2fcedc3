"""Dagster's home, made from the settings."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lending_club_pipeline.config.settings import load_settings
from lending_club_pipeline.defs.instance import configuration, ensure_dagster_home
from lending_club_pipeline.files import processes


def test_services_that_share_a_new_home_may_start_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Threads have one process number, as the first processes of containers have.
    monkeypatch.setattr(processes, "this_machine", lambda: threading.current_thread().name)
    services = 8
    with ThreadPoolExecutor(services) as pool:
        for turn in range(20):
            settings = load_settings({"dagster_home": str(tmp_path / str(turn))})
            homes = set(pool.map(ensure_dagster_home, [settings] * services))

            (home,) = homes
            assert (home / "dagster.yaml").read_text() == configuration(settings)
            assert {it.name for it in home.iterdir()} == {"dagster.yaml"}
