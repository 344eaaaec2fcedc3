"""`make bench`: the pipeline against the bare engine, in one run and in turn.

Prints ratios, and writes `bench/results/` and the plot of the docs.
"""

import argparse
import json
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import psutil

from bench.measuring import Cost, measure, middle
from bench.plotting import plot
from lending_club_pipeline.config.clock import UTC_NAME, day_of, now
from lending_club_pipeline.config.values import parse_bytes
from lending_club_pipeline.contract.seeds import project_dir
from lending_club_pipeline.dbt_runner.invocation import MONTH_END
from lending_club_pipeline.synthetic.deliveries import generate_deliveries

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "bench" / "results"
SAMPLE = ROOT / "data" / "inputs"
GIB = 2**30


@dataclass(frozen=True)
class Ratio:
    """One line of the result: what was compared, the bar, and how it came out."""

    work: str
    measured: float
    bar: float
    unit: str = "x"

    @property
    def verdict(self) -> str:
        """Whether the bar is met."""
        return "met" if self.measured <= self.bar else "MISSED"

    def __str__(self) -> str:
        return (
            f"{self.work:62} {self.measured:6.2f} {self.unit:3} bar {self.bar:.2f}  {self.verdict}"
        )


class Bench:
    """Runs each contender in a folder of its own and remembers what it took."""

    def __init__(self, folder: Path, runs: int) -> None:
        self.folder = folder
        self.runs = runs
        self.costs: dict[str, list[Cost]] = {}

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

    def pipeline(self, inputs: Path, name: str, limit: str = "2GiB") -> Cost:
        """`lending-club run` with a database of its own, fresh unless it is the sample."""
        home = self.folder / name
        return measure(
            [sys.executable, "-m", "lending_club_pipeline", "run", "--force"],
            self.environment(inputs, home) | {"MEMORY_LIMIT": limit},
            self.folder,
        )

    def environment(self, inputs: Path, home: Path) -> dict[str, str]:
        """The variables of one contender."""
        return {
            "INPUT_PATH": str(inputs),
            "OUTPUT_PATH": str(home / "outputs"),
            "DUCKDB_PATH": str(home / "lending_club.duckdb"),
            # Shared, so that the parsed dbt project is warm, as it is from the second run on.
            "DAGSTER_HOME": str(self.folder / "dagster"),
            "DATABASE_TYPE": "duckdb",
        }

    def fresh_pipeline(self, inputs: Path, name: str, limit: str = "2GiB") -> Cost:
        """The same from an empty database and landing, so that nothing is already there."""
        _clear(self.folder / name)
        try:
            return self.pipeline(inputs, name, limit)
        finally:
            _clear(self.folder / name)

    def floor(self, inputs: Path) -> Cost:
        """The bare engine."""
        outputs = self.folder / "floor"
        memory = str(parse_bytes("2GiB"))
        try:
            return measure(
                [sys.executable, "-m", "bench.floor", str(inputs), str(outputs), memory], {}, ROOT
            )
        finally:
            _clear(outputs)

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
                "--vars", f"{{as_of_date: '{day_of(now(), UTC_NAME).date.isoformat()}'}}",
                "--no-send-anonymous-usage-stats", "--no-version-check",
            ],
            self.environment(SAMPLE, self.folder / "sample"),
            self.folder,
        )  # fmt: skip


def _clear(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def measure_sample(bench: Bench) -> list[Ratio]:
    print("Sample delivery, warm", flush=True)
    bench.pipeline(SAMPLE, "sample")
    bench.dbt_build()
    bench.in_turn(
        {
            "sample: lending-club run": lambda: bench.pipeline(SAMPLE, "sample"),
            "sample: bare dbt build": bench.dbt_build,
        },
        runs=max(bench.runs, 5),
    )
    run, build = bench["sample: lending-club run"], bench["sample: bare dbt build"]
    return [
        Ratio("sample, warm: lending-club run / bare dbt build (wall)", run.wall / build.wall, 1.3),
        Ratio("sample, warm: lending-club run / bare dbt build (CPU)", run.cpu / build.cpu, 1.3),
    ]


def measure_size(bench: Bench, accounts: int) -> list[Ratio]:
    customers = accounts * 2 // 5
    label = f"{accounts / 1e6:g}M"
    print(f"{accounts:,} accounts, {customers:,} customers", flush=True)
    clean, dirty = bench.folder / f"clean-{label}", bench.folder / f"dirty-{label}"
    for folder, share in ((clean, 0.0), (dirty, 0.01)):
        generate_deliveries(
            customers=customers,
            accounts=accounts,
            to=folder,
            dirty=share,
            # The floor reads typed columns and takes no $1,234.50.
            unusual=0,
            on_progress=_ignore,
        )
    bench.in_turn(
        {
            f"{label}: floor": lambda: bench.floor(clean),
            f"{label}: lending-club run": lambda: bench.fresh_pipeline(clean, "clean"),
            f"{label}: 1 % dirt": lambda: bench.fresh_pipeline(dirty, "dirty"),
        }
    )
    bench.in_turn(
        {f"{label}: limit 1GiB": lambda: bench.fresh_pipeline(clean, "limited", "1GiB")}, runs=1
    )
    _clear(clean)
    _clear(dirty)
    return _ratios(bench, label, accounts)


def _ratios(bench: Bench, label: str, accounts: int) -> list[Ratio]:
    floor, run = bench[f"{label}: floor"], bench[f"{label}: lending-club run"]
    dirty, limited = bench[f"{label}: 1 % dirt"], bench[f"{label}: limit 1GiB"]
    ratios = []
    if accounts < 10**7:
        extra = run.cpu - bench["sample: lending-club run"].cpu
        ratios.append(Ratio(f"{label}: (run - sample's run) / floor (CPU)", extra / floor.cpu, 3.0))
    else:
        ratios.append(Ratio(f"{label}: run / floor (CPU)", run.cpu / floor.cpu, 3.0))
    return [
        *ratios,
        Ratio(f"{label}: 1 % dirt / clean (CPU)", dirty.cpu / run.cpu, 1.15),
        Ratio(f"{label}: peak memory of the tree", run.peak / GIB, 2.0, "GiB"),
        Ratio(f"{label}: the same with MEMORY_LIMIT=1GiB", limited.peak / GIB, 1.0, "GiB"),
    ]


def _ignore(_: str) -> None:
    """Progress is not shown here."""


def machine() -> dict[str, str | int]:
    """What a measurement was made on."""
    return {
        "cores": psutil.cpu_count() or 0,
        "memory_gib": round(psutil.virtual_memory().total / GIB),
        "python": platform.python_version(),
        "duckdb": duckdb.__version__,
        "system": f"{platform.system()} {platform.machine()}",
    }


def write_results(bench: Bench, ratios: Sequence[Ratio]) -> None:
    RESULTS.mkdir(exist_ok=True)
    costs = {name: asdict(bench[name]) for name in bench.costs}
    content = {
        "machine": machine(),
        "runs": bench.runs,
        "ratios": [{**asdict(ratio), "verdict": ratio.verdict} for ratio in ratios],
        "costs": costs,
    }
    (RESULTS / "latest.json").write_text(json.dumps(content, indent=2) + "\n")
    lines = ["| work | measured | bar | |", "|---|---|---|---|"]
    lines += [
        f"| {it.work} | {it.measured:.2f} {it.unit} | {it.bar:.2f} | {it.verdict} |"
        for it in ratios
    ]
    (RESULTS / "latest.md").write_text("\n".join(lines) + "\n")
    plot(costs, ROOT / "docs" / "images" / "bench.svg")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="runs of each contender (3)")
    parser.add_argument(
        "--accounts", type=int, nargs="+", default=[1_000_000, 10_000_000], help="sizes to measure"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench = Bench(Path(folder), given.runs)
        ratios = measure_sample(bench)
        for accounts in given.accounts:
            ratios += measure_size(bench, accounts)
        write_results(bench, ratios)
    print()
    for ratio in ratios:
        print(ratio)
    print(f"\nWritten to {RESULTS.relative_to(ROOT)} and docs/images/bench.svg")


if __name__ == "__main__":
    main()
