"""`make bench`: the pipeline against the bare engine, in one run and in turn.

Prints ratios, and writes `bench/results/` and the plots of the docs. It fails, and keeps the
recorded result, where a ratio is worse than it was by more than the noise; `--accept` records it
all the same.
"""

import argparse
import json
import platform
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import duckdb
import psutil

from bench.contenders import ROOT, SAMPLE, Bench, clear
from bench.orders import make_deliveries
from bench.plotting import plot, plot_profile
from bench.profiling import Spent, listed, tabulated
from bench.ratios import Ratio, noise_of, worse_than

RESULTS = ROOT / "bench" / "results"
GIB = 2**30
_PROFILE_HEAD = (
    "# Where the CPU of a run goes",
    "",
    "The first model, `base_accounts__judged`, is given what dbt takes to start, and the last",
    "file, which is only moved, what Dagster and Python take to end.",
    "",
)


def measure_sample(bench: Bench) -> list[Ratio]:
    print("Sample delivery, warm", flush=True)
    bench.pipeline(SAMPLE, "sample")
    bench.dbt_build()
    names = ("sample: lending-club run", "sample: bare dbt build")
    bench.in_turn(
        {names[0]: lambda: bench.pipeline(SAMPLE, "sample"), names[1]: bench.dbt_build},
        runs=max(bench.runs, 5),
    )
    run, build = bench[names[0]], bench[names[1]]
    noise = noise_of(*(bench.costs[name] for name in names))
    work = "sample, warm: lending-club run / bare dbt build"
    return [
        Ratio(f"{work} (wall)", run.wall / build.wall, 1.3, noise=noise),
        Ratio(f"{work} (CPU)", run.cpu / build.cpu, 1.3, noise=noise),
    ]


def measure_size(bench: Bench, accounts: int) -> list[Ratio]:
    label = f"{accounts / 1e6:g}M"
    print(f"{accounts:,} accounts, {accounts * 2 // 5:,} customers", flush=True)
    ordered, random, dirty = (
        bench.folder / f"{it}-{label}" for it in ("sorted", "random", "dirty")
    )
    # In a separate process: Linux counts the parent's peak memory as that of the child, and sorting
    # ten million records takes more memory than a run.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
        apart.submit(make_deliveries, accounts, ordered, random, dirty).result()
    # Those that are compared follow each other: a shared machine is not equally fast all the time.
    bench.in_turn(
        {
            f"{label}: lending-club run": lambda: bench.fresh_pipeline(ordered, "clean"),
            f"{label}: floor": lambda: bench.floor(ordered),
            f"{label}: 1 % dirt": lambda: bench.fresh_pipeline(dirty, "dirty"),
            f"{label}: random order": lambda: bench.fresh_pipeline(random, "random"),
            f"{label}: floor, random order": lambda: bench.floor(random),
            f"{label}: month end": lambda: bench.month_end(random),
        }
    )
    bench.in_turn(
        {f"{label}: limit 1GiB": lambda: bench.fresh_pipeline(ordered, "limited", "1GiB")}, runs=1
    )
    bench.profiles[label] = bench.profile(random)
    for folder in (ordered, random, dirty):
        clear(folder)
    return _ratios(bench, label, accounts)


def _ratios(bench: Bench, label: str, accounts: int) -> list[Ratio]:
    run, limited = bench[f"{label}: lending-club run"], bench[f"{label}: limit 1GiB"]
    # What a run takes to start is measured with the sample; at ten million it hardly counts.
    is_small = accounts < 10**7
    start = bench["sample: lending-club run"].cpu if is_small else 0.0
    work = "(run - sample's run) / floor" if is_small else "run / floor"
    ratios = []
    for case, floor, what in (
        ("lending-club run", "floor", "keys sorted"),
        ("random order", "floor, random order", "keys in random order"),
        ("month end", "floor, random order", "a month end, keys in random order"),
    ):
        names = (f"{label}: {case}", f"{label}: {floor}")
        measured = (bench[names[0]].cpu - start) / bench[names[1]].cpu
        noise = noise_of(*(bench.costs[name] for name in names))
        ratios.append(Ratio(f"{label}, {what}: {work} (CPU)", measured, 3.0, noise=noise))
    # The dirty delivery is in no order, too.
    dirty, clean = bench[f"{label}: 1 % dirt"], bench[f"{label}: random order"]
    return [
        *ratios,
        Ratio(f"{label}: 1 % dirt / clean (CPU)", dirty.cpu / clean.cpu, 1.15),
        Ratio(f"{label}: peak memory of the tree", run.peak / GIB, 2.0, "GiB"),
        Ratio(f"{label}: the same with MEMORY_LIMIT=1GiB", limited.peak / GIB, 1.0, "GiB"),
    ]


def machine() -> dict[str, str | int]:
    """What a measurement was made on."""
    return {
        "cores": psutil.cpu_count() or 0,
        "memory_gib": round(psutil.virtual_memory().total / GIB),
        "python": platform.python_version(),
        "duckdb": duckdb.__version__,
        "system": f"{platform.system()} {platform.machine()}",
    }


def recorded() -> dict[str, Any]:
    """Return the last recorded result; empty where there is none."""
    file = RESULTS / "latest.json"
    content: dict[str, Any] = json.loads(file.read_bytes()) if file.exists() else {}
    return content


def write_results(bench: Bench, ratios: Sequence[Ratio]) -> None:
    RESULTS.mkdir(exist_ok=True)
    costs = {name: asdict(bench[name]) for name in bench.costs}
    content = {
        "machine": machine(),
        "runs": bench.runs,
        "ratios": [{**asdict(ratio), "verdict": ratio.verdict} for ratio in ratios],
        "costs": costs,
        "profiles": {
            label: {step: asdict(it) for step, it in steps.items()}
            for label, steps in bench.profiles.items()
        },
    }
    (RESULTS / "latest.json").write_text(json.dumps(content, indent=2) + "\n")
    lines = ["| work | measured | bar | |", "|---|---|---|---|"]
    lines += [
        f"| {it.work} | {it.measured:.2f} {it.unit} | {it.bar:.2f} | {it.verdict} |"
        for it in ratios
    ]
    (RESULTS / "latest.md").write_text("\n".join(lines) + "\n")
    plot(costs, ROOT / "docs" / "images" / "bench.svg")
    write_profiles(bench.profiles)


def write_profiles(profiles: Mapping[str, Mapping[str, Spent]]) -> None:
    """Write the profile of each size as a table, and that of the last one as a plot."""
    lines = []
    for label, steps in profiles.items():
        lines += [f"## {label} accounts, keys in random order", ""]
        lines += [*listed(tabulated(steps), psutil.cpu_count() or 2), ""]
        plotted = [(step, it.cpu) for step, it in tabulated(steps)]
        plot_profile(plotted, f"{label} accounts", ROOT / "docs/images/profile.svg")
    (RESULTS / "profile.md").write_text("\n".join([*_PROFILE_HEAD, *lines]))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="runs of each contender (3)")
    parser.add_argument(
        "--accounts", type=int, nargs="+", default=[1_000_000, 10_000_000], help="sizes to measure"
    )
    parser.add_argument("--accept", action="store_true", help="record ratios that became worse")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench = Bench(Path(folder), given.runs)
        ratios = measure_sample(bench)
        for accounts in given.accounts:
            ratios += measure_size(bench, accounts)
    print()
    for ratio in ratios:
        print(ratio)
    worse = worse_than(recorded(), ratios)
    if worse and not given.accept:
        sys.exit("\n".join(["\nWorse than recorded, which is kept:", *worse]))
    write_results(bench, ratios)
    print(f"\nWritten to {RESULTS.relative_to(ROOT)} and docs/images")


if __name__ == "__main__":
    main()
