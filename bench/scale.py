"""`make bench-scale`: how cost grows with accounts, with days, and with what did not change.

Prints ratios and writes `bench/results/scale.*` and the plot of the docs. Each part can be measured
alone (`--only size`); what is not measured anew keeps its last result.
"""

import argparse
import datetime as dt
import itertools
import json
import math
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

from bench.__main__ import GIB, RESULTS, machine
from bench.contenders import ROOT, SAMPLE, environment
from bench.growth import plot_growth
from bench.measuring import Cost, measure
from bench.orders import ignore_progress
from bench.ratios import Ratio
from lending_club_pipeline.config.values import parse_bytes
from lending_club_pipeline.synthetic.deliveries import generate_deliveries

FIRST = dt.date(2026, 1, 1)
# Below this, what a run takes to start decides.
_START_HARDLY_COUNTS = 10**7
_HISTORIES = ("account_history", "customer_history")
_DAILY = ("account_summary_daily", "quarantined_records")


def run(home: Path, inputs: Path, *arguments: str, limit: str = "2GiB") -> Cost:
    """`lending-club run`, said in a line."""
    command = [sys.executable, "-m", "lending_club_pipeline", "run", *arguments]
    cost = measure(
        command,
        environment(inputs, home) | {"MEMORY_LIMIT": limit, "BACKFILL_DAYS_PER_RUN": "31"},
        home.parent,
    )
    shown = " ".join(["run", *arguments])
    print(
        f"  {home.name:12} {shown:40} wall {cost.wall:8.1f} s  CPU {cost.cpu:8.1f} s  "
        f"peak {cost.peak / 2**20:6.0f} MiB",
        flush=True,
    )
    return cost


def floor(inputs: Path, home: Path, limit: str) -> Cost:
    """The bare engine with the same bound for memory."""
    command = [sys.executable, "-m", "bench.floor", str(inputs), str(home / "floor")]
    cost = measure([*command, str(parse_bytes(limit))], {}, ROOT)
    shutil.rmtree(home / "floor")
    print(f"  {'floor':53} wall {cost.wall:8.1f} s  CPU {cost.cpu:8.1f} s", flush=True)
    return cost


def measure_sizes(folder: Path, sizes: list[int]) -> dict[str, Any]:
    """One delivery of each size, and the largest once more with half of the memory."""
    found: dict[str, Any] = {}
    # The parsed dbt project is warm, as it is from the second run on.
    run(folder / "sample", SAMPLE)
    for accounts in sizes:
        print(f"{accounts:,} accounts", flush=True)
        inputs, home = folder / "inputs", folder / "sized"
        generate_deliveries(
            customers=accounts * 2 // 5,
            accounts=accounts,
            to=inputs,
            unusual=0,
            on_progress=ignore_progress,
        )
        limits = ("8GiB", "4GiB") if accounts >= 10**8 else ("2GiB",)
        of_size = {"floor": asdict(floor(inputs, folder, limits[0]))}
        for limit in limits:
            of_size[limit] = asdict(run(home, inputs, "--force", limit=limit))
            of_size[limit]["stored_bytes"] = _size_of(home)
            shutil.rmtree(home)
        found[str(accounts)] = of_size
        shutil.rmtree(inputs)
    return found


def measure_days(folder: Path, days: int, accounts: int) -> dict[str, Any]:
    """Day after day with 2 % changed: the first few and the last few by themselves."""
    print(f"{days} days of {accounts:,} accounts", flush=True)
    inputs, home = folder / "days", folder / "daily"
    generate_deliveries(
        customers=accounts * 2 // 5,
        accounts=accounts,
        to=inputs,
        days=days,
        change=0.02,
        first_day=FIRST,
        compression="zst",
        on_progress=ignore_progress,
    )
    first = run(home, inputs, "--as-of", _day(0))
    stored_first = _stored(home)
    second = [run(home, inputs, "--as-of", _day(at)) for at in (1, 2, 3)]
    run(home, inputs, "--from", _day(4), "--to", _day(days - 4))
    last = [run(home, inputs, "--as-of", _day(at)) for at in range(days - 3, days)]
    stored = _stored(home)
    shutil.rmtree(home)
    return {
        "days": days,
        "accounts": accounts,
        "first": asdict(first),
        "second": [asdict(it) for it in second],
        "last": [asdict(it) for it in last],
        "stored_first": stored_first,
        "stored": stored,
    }


def measure_backfill(folder: Path, days: int, accounts: int) -> dict[str, Any]:
    """A backfill of many days, and the same days one after the other."""
    print(f"Backfill of {days} days", flush=True)
    inputs = folder / "days"
    at_once = run(folder / "backfill", inputs, "--from", _day(0), "--to", _day(days - 1))
    shutil.rmtree(folder / "backfill")
    single = [run(folder / "single", inputs, "--as-of", _day(at)) for at in range(days)]
    shutil.rmtree(folder / "single")
    return {
        "days": days,
        "accounts": accounts,
        "at_once": asdict(at_once),
        "single": [asdict(it) for it in single],
    }


def measure_unchanged(folder: Path) -> dict[str, Any]:
    """The sample again, forced and not."""
    print("Unchanged delivery", flush=True)
    home = folder / "sample"
    run(home, SAMPLE)
    again = [run(home, SAMPLE) for _ in range(3)]
    forced = [run(home, SAMPLE, "--force") for _ in range(3)]
    return {"again": [asdict(it) for it in again], "forced": [asdict(it) for it in forced]}


def _day(number: int) -> str:
    return (FIRST + dt.timedelta(days=number)).isoformat()


def _size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _stored(home: Path) -> dict[str, int]:
    """Bytes of the blocks that each table takes in the database."""
    with duckdb.connect(str(home / "lending_club.duckdb")) as connection:
        connection.execute("checkpoint")
        (block,) = connection.execute("select block_size from pragma_database_size()").fetchone()
        sizes = {}
        for name in (*_HISTORIES, *_DAILY):
            (blocks,) = connection.execute(
                f"select count(distinct block_id) from pragma_storage_info('{name}') "
                "where block_id >= 0"
            ).fetchone()
            sizes[name] = blocks * block
    landing = home / "landing"
    return {**sizes, "landing": _size_of(landing)}


def ratios_of(found: Mapping[str, Any]) -> list[Ratio]:
    """The bars, of what was measured."""
    return [
        *_ratios_of_sizes(found.get("size", {})),
        *_ratios_of_days(found.get("days")),
        *_ratios_of_backfill(found.get("backfill")),
        *_ratio_of_unchanged(found.get("unchanged")),
    ]


def _ratios_of_sizes(sizes: Mapping[str, Any]) -> list[Ratio]:
    ratios = []
    for accounts, costs in sizes.items():
        label = f"{int(accounts) / 1e6:g}M accounts"
        for limit in (it for it in costs if it != "floor"):
            if int(accounts) >= _START_HARDLY_COUNTS:
                ratio = costs[limit]["cpu"] / costs["floor"]["cpu"]
                ratios.append(Ratio(f"{label}, limit {limit}: run / floor (CPU)", ratio, 3.0))
            peak, bound = costs[limit]["peak"] / GIB, parse_bytes(limit) / GIB
            ratios.append(Ratio(f"{label}, limit {limit}: peak memory", peak, bound, "GiB"))
    return [*ratios, *_growth_of_sizes(sizes)]


def _growth_of_sizes(sizes: Mapping[str, Any]) -> list[Ratio]:
    """How much faster cost grew than n log n, from size to size."""
    numbers = sorted(map(int, sizes))
    cpu = {n: next(c["cpu"] for it, c in sizes[str(n)].items() if it != "floor") for n in numbers}
    return [
        Ratio(
            f"growth from {one / 1e6:g}M to {other / 1e6:g}M / n log n (CPU)",
            cpu[other] / cpu[one] / (other * math.log(other) / (one * math.log(one))),
            1.0,
        )
        for one, other in itertools.pairwise(numbers)
    ]


def _ratios_of_days(days: Mapping[str, Any] | None) -> list[Ratio]:
    if days is None:
        return []
    second, last = (
        {key: _middle(days[of], key) for key in ("cpu", "peak")} for of in ("second", "last")
    )
    of = f"{days['accounts'] / 1e6:g}M accounts"
    label = f"{of}: day {days['days']} / day 2"
    history = _growth(days, _HISTORIES)
    return [
        Ratio(f"{label} (CPU)", last["cpu"] / second["cpu"], 1.10),
        Ratio(f"{label} (peak memory)", last["peak"] / second["peak"], 1.10),
        Ratio(f"{of}: bytes of the histories, {days['days']} days / one day", history, 6.0),
    ]


def _growth(days: Mapping[str, Any], tables: tuple[str, ...]) -> float:
    before, after = (sum(days[of][it] for it in tables) for of in ("stored_first", "stored"))
    return after / before


def _ratios_of_backfill(backfill: Mapping[str, Any] | None) -> list[Ratio]:
    if backfill is None:
        return []
    single = sum(it["cpu"] for it in backfill["single"])
    ratio = backfill["at_once"]["cpu"] / single
    work = f"{backfill['accounts'] / 1e6:g}M accounts: backfill of {backfill['days']} days"
    return [Ratio(f"{work} / single runs (CPU)", ratio, 0.6)]


def _ratio_of_unchanged(unchanged: Mapping[str, Any] | None) -> list[Ratio]:
    if unchanged is None:
        return []
    ratio = _middle(unchanged["again"], "cpu") / _middle(unchanged["forced"], "cpu")
    return [Ratio("unchanged delivery again / sample run (CPU)", ratio, 1.0)]


def _middle(costs: list[dict[str, float]], key: str) -> float:
    return median(it[key] for it in costs)


def write(found: dict[str, Any]) -> list[Ratio]:
    """Write results and plot; return the ratios."""
    ratios = ratios_of(found)
    content = {
        "machine": machine(),
        **found,
        "ratios": [{**asdict(it), "verdict": it.verdict} for it in ratios],
    }
    (RESULTS / "scale.json").write_text(json.dumps(content, indent=2) + "\n")
    lines = ["| work | measured | bar | |", "|---|---|---|---|"]
    lines += [
        f"| {it.work} | {it.measured:.2f} {it.unit} | {it.bar:.2f} | {it.verdict} |"
        for it in ratios
    ]
    (RESULTS / "scale.md").write_text("\n".join(lines) + "\n")
    plot_growth(found.get("size", {}), ROOT / "docs" / "images" / "scale.svg")
    return ratios


def main() -> None:
    parts = ("size", "days", "backfill", "unchanged")
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--only", choices=parts, nargs="+", default=list(parts))
    parser.add_argument("--millions", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--days", type=int, default=100)
    parser.add_argument("--backfill", type=int, default=30)
    parser.add_argument("--daily-accounts", type=int, default=1_000_000)
    given = parser.parse_args()
    path = RESULTS / "scale.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    found = {part: found[part] for part in parts if part in found}
    with tempfile.TemporaryDirectory(prefix="bench-scale-") as temporary:
        folder = Path(temporary)
        if "unchanged" in given.only:
            found["unchanged"] = measure_unchanged(folder)
        if "size" in given.only:
            sizes = measure_sizes(folder, [it * 10**6 for it in given.millions])
            found["size"] = {**found.get("size", {}), **sizes}
        if {"days", "backfill"} & set(given.only):
            found["days"] = measure_days(folder, given.days, given.daily_accounts)
        if "backfill" in given.only:
            found["backfill"] = measure_backfill(folder, given.backfill, given.daily_accounts)
        ratios = write(found)
    for ratio in ratios:
        print(ratio)


if __name__ == "__main__":
    main()
