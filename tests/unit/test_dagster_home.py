"""Dagster's home, made from the settings."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lending_club_pipeline.config.settings import load_settings
from lending_club_pipeline.defs.instance import configuration, ensure_dagster_home


def test_services_that_share_a_new_home_may_start_at_once(tmp_path: Path) -> None:
    services = 8
    with ThreadPoolExecutor(services) as pool:
        for turn in range(20):
            settings = load_settings({"dagster_home": str(tmp_path / str(turn))})
            # Threads have one process number, as the first processes of containers have.
            homes = set(pool.map(ensure_dagster_home, [settings] * services))

            (home,) = homes
            assert (home / "dagster.yaml").read_text() == configuration(settings)
            assert {it.name for it in home.iterdir()} == {"dagster.yaml", "opening.lock"}
