"""Who is compared: the pipeline in several cases, the bare engine, and bare dbt."""

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from bench.measuring import Cost, measure, middle
from bench.profiling import Spent, profile
from lending_club_pipeline.config.values import parse_bytes
from lending_club_pipeline.contract.seeds import project_dir
from lending_club_pipeline.dbt_runner.invocation import MONTH_END

ROOT: Final = Path(__file__).parents[1]
SAMPLE: Final = ROOT / "data" / "inputs"
# A fixed date in the middle of a month: on the last day of a month a run also closes the month.
ORDINARY_DAY: Final = "2026-01-14"
LAST_OF_MONTH: Final = "2026-01-31"
_RUN: Final = (sys.executable, "-m", "lending_club_pipeline", "run", "--force")


def environment(inputs: Path, home: Path) -> dict[str, str]:
    """The variables of one contender, whose files lie in `home`."""
    return {
        "INPUT_PATH": str(inputs),
        "OUTPUT_PATH": str(home / "outputs"),
        "DUCKDB_PATH": str(home / "lending_club.duckdb"),
        # Shared, so that the parsed dbt project is warm, as it is from the second run on.
        "DAGSTER_HOME": str(home.parent / "dagster"),
        "DATABASE_TYPE": "duckdb",
    }


class Bench:
    """Runs each contender in a folder of its own and remembers what it took."""

    def __init__(self, folder: Path, runs: int) -> None:
        self.folder = folder
        self.runs = runs
        self.costs: dict[str, list[Cost]] = {}
        self.profiles: dict[str, dict[str, Spent]] = {}

    def in_turn(self, contenders: Mapping[str, Callable[[], Cost]], runs: int = 0) -> None:
        """Run each contender once, then each again: what disturbs the machine disturbs all."""
        for _ in range(runs or self.runs):
            for name, run in contenders.items():
                cost = run()
                self.costs.setdefault(name, []).append(cost)
                print(
                    f"  {name:34} wall {cost.wall:7.2f} s  CPU {cost.cpu:7.2f} s  "
                    f"peak {cost.peak / 2**20:6.0f} MiB",
                    flush=True,
                )

    def __getitem__(self, name: str) -> Cost:
        return middle(self.costs[name])

    def pipeline(
        self, inputs: Path, name: str, limit: str = "2GiB", day: str = ORDINARY_DAY
    ) -> Cost:
        """`lending-club run` with a database of its own, fresh unless it is the sample."""
        home = self.folder / name
        return measure(
            [*_RUN, "--as-of", day],
            environment(inputs, home) | {"MEMORY_LIMIT": limit},
            self.folder,
        )

    def fresh_pipeline(
        self, inputs: Path, name: str, limit: str = "2GiB", day: str = ORDINARY_DAY
    ) -> Cost:
        """The same from an empty database and landing, so that nothing is already there."""
        clear(self.folder / name)
        try:
            return self.pipeline(inputs, name, limit, day)
        finally:
            clear(self.folder / name)

    def month_end(self, delivery: Path) -> Cost:
        """The same for a delivery of the last day of a month, the only one in it."""
        inputs = self.folder / "month-end"
        inputs.mkdir(exist_ok=True)
        dated = inputs / LAST_OF_MONTH
        if not dated.exists():
            dated.symlink_to(delivery, target_is_directory=True)
        try:
            return self.fresh_pipeline(inputs, "closing", day=LAST_OF_MONTH)
        finally:
            dated.unlink()

    def profile(self, inputs: Path) -> dict[str, Spent]:
        """What each step of such a run took."""
        home = self.folder / "profiled"
        nodes = json.loads(next((self.folder / "dagster/dbt").glob("*/manifest.json")).read_bytes())
        models = [it["name"] for it in nodes["nodes"].values() if it["resource_type"] != "test"]
        try:
            return profile(
                [*_RUN, "--verbose", "--as-of", ORDINARY_DAY],
                environment(inputs, home) | {"MEMORY_LIMIT": "2GiB"},
                self.folder,
                frozenset(models),
            )
        finally:
            clear(home)

    def floor(self, inputs: Path) -> Cost:
        """The bare engine."""
        outputs = self.folder / "floor"
        memory = str(parse_bytes("2GiB"))
        try:
            return measure(
                [sys.executable, "-m", "bench.floor", str(inputs), str(outputs), memory], {}, ROOT
            )
        finally:
            clear(outputs)

    def dbt_build(self) -> Cost:
        """Bare `dbt build` of the same nodes, date, target and threads on the sample's database.

        It is as warm as a run: parsed before (dbt's own partial parsing), raw data landed, models
        there. What a run does beyond it is Dagster, landing, and the four outputs.
        """
        project = str(project_dir())
        return measure(
            [
                str(Path(sys.executable).with_name("dbt")), "build",
                "--project-dir", project, "--profiles-dir", project,
                "--target-path", str(self.folder / "dbt-target"),
                "--log-path", str(self.folder / "dbt-logs"),
                "--exclude", "resource_type:unit_test", f"tag:{MONTH_END}",
                "--vars", f"{{as_of_date: '{ORDINARY_DAY}'}}",
                "--no-send-anonymous-usage-stats", "--no-version-check",
            ],
            environment(SAMPLE, self.folder / "sample"),
            self.folder,
        )  # fmt: skip


def clear(folder: Path) -> None:
    """Remove a folder, if it is there."""
    shutil.rmtree(folder, ignore_errors=True)
