"""`make bench-databricks`: the pipeline on the SQL warehouse stand-in against Spark alone.

The floor takes the very statements that the first run sent, in their order, and runs them in one
session of an equal Spark without a network, a client or dbt in between. Prints the ratio, the
number of statements and Python's peak memory, and writes `bench/results/databricks.*`.
"""

import argparse
import datetime as dt
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from bench.measuring import Cost, measure
from databricks_stand_in.client import ENVIRONMENT_FILE, WarehouseClient, read_environment
from lending_club_pipeline.synthetic.deliveries import generate_deliveries

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "bench" / "results"
# What statements are for, and how they are told; the first that fits.
_PURPOSES = {
    "dbt: tests": r"^/\* .* count\(\*\) as failures",
    "dbt: what there is": r"^/\* .*\*/ (SHOW |SELECT table_name|select views)",
    "dbt: make tables and views": r"^/\* .*\*/ (create|ALTER|select \* from \(|DESCRIBE)",
    "dbt: write rows": r"^/\* .*\*/ (insert|merge)",
    "dbt: dates to compare": r"^/\* ",
    "states of dates, results of checks": (
        r"`(pipeline_days|delivery_checks)`|delivery_movements where is_held"
        r"|from delivery_ledger where stage"
    ),
    "the serving table": r"account_summary_serving",
    "one run at a time": r"`pipeline_lease`",
    "schema, volume, tables and columns": r"information_schema|^create (schema|volume)",
    "upload, load and prove a delivery": (
        r"^(put|list|remove) |_raw`|delivered_files|rejected_records|delivery_approvals"
    ),
}
_REPORT = "ledgers, outputs, report"
# In the middle of a month: none is closed.
_FIRST_DAY = dt.date(2026, 3, 16)
_SCHEMA = "lending_club"


@dataclass(frozen=True)
class Measured:
    """What one size took; seconds of CPU, bytes.

    `pipeline` and `statements` are those of the first run into an empty schema, `later` and
    `later_statements` those of the next day's, of which 2 % changed.
    """

    accounts: int
    statements: dict[str, int]
    later_statements: dict[str, int]
    pipeline: Cost
    later: Cost
    warehouse_cpu: float
    floor_cpu: float
    floor_wall: float

    @property
    def ratio(self) -> float:
        """CPU of pipeline and warehouse over that of the floor."""
        return (self.pipeline.cpu + self.warehouse_cpu) / self.floor_cpu


def _cpu_of_tree(pid: int) -> float:
    root = psutil.Process(pid)
    total = 0.0
    for process in (root, *root.children(recursive=True)):
        times = process.cpu_times()
        total += times.user + times.system
    return total


@contextmanager
def _served(command: Sequence[str], ready: str) -> Iterator[subprocess.Popen[str]]:
    """Run a process until it says that it is ready, and end it afterwards."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == ready:
                break
        else:
            raise RuntimeError(f"{' '.join(command)} ended before it was ready")
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _measure(folder: Path, accounts: int) -> Measured:
    inputs = folder / "inputs"
    generate_deliveries(
        customers=accounts * 2 // 5,
        accounts=accounts,
        to=inputs,
        dirty=0.01,
        days=2,
        first_day=_FIRST_DAY,
        on_progress=lambda _: None,
    )
    served, alone = folder / "served", folder / "alone"
    server = [sys.executable, "-m", "databricks_stand_in", "--folder", str(served)]
    with _served(server, "ready") as process:
        environment = read_environment(served / ENVIRONMENT_FILE) | {
            "DATABASE_TYPE": "databricks",
            "DATABRICKS_SCHEMA": _SCHEMA,
            "INPUT_PATH": str(inputs),
            "OUTPUT_PATH": str(folder / "outputs"),
            "DUCKDB_PATH": str(folder / "unused.duckdb"),
            "DAGSTER_HOME": str(folder / "dagster"),
        }
        client = WarehouseClient(environment)
        before = _cpu_of_tree(process.pid)
        cost = _run(_FIRST_DAY, environment, folder)
        warehouse_cpu = _cpu_of_tree(process.pid) - before
        sent = client.statements()
        volumes = folder / "volumes"
        shutil.copytree(served / "spark" / "Volumes", volumes)
        later = _run(_FIRST_DAY + dt.timedelta(days=1), environment, folder)
        later_sent = client.statements()[len(sent) :]
    texts = folder / "statements.json"
    texts.write_text(json.dumps([(it["text"], it["parameters"]) for it in sent]))
    floor = [sys.executable, "-m", "bench.spark_floor", *map(str, (alone, texts, volumes)), _SCHEMA]
    with _served(floor, "ready") as process:
        before, started = _cpu_of_tree(process.pid), time.perf_counter()
        process.send_signal(signal.SIGUSR1)
        assert process.stdout is not None
        if process.stdout.readline().strip() != "done":
            raise RuntimeError("the floor failed")
        floor_wall = time.perf_counter() - started
        floor_cpu = _cpu_of_tree(process.pid) - before
    return Measured(
        accounts,
        _purposes(sent),
        _purposes(later_sent),
        cost,
        later,
        warehouse_cpu,
        floor_cpu,
        floor_wall,
    )


def _run(as_of: dt.date, environment: dict[str, str], folder: Path) -> Cost:
    command = [sys.executable, "-m", "lending_club_pipeline", "run", "--as-of", as_of.isoformat()]
    return measure(command, environment, folder)


def _purposes(sent: Sequence[dict[str, Any]]) -> dict[str, int]:
    found = Counter(purpose_of(statement["text"]) for statement in sent)
    return {purpose: found[purpose] for purpose in [*_PURPOSES, _REPORT] if found[purpose]}


def purpose_of(statement: str) -> str:
    """Say what a statement is for."""
    text = " ".join(statement.split())
    return next((it for it, pattern in _PURPOSES.items() if re.search(pattern, text)), _REPORT)


def _write(results: Sequence[Measured]) -> None:
    """Write what was measured; sizes that were measured before and not now stay."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / "databricks.json"
    known = {it["accounts"]: it for it in json.loads(file.read_text())} if file.exists() else {}
    for it in results:
        known[it.accounts] = {**asdict(it), "ratio": it.ratio, "cores": os.cpu_count()}
    content = [known[accounts] for accounts in sorted(known)]
    file.write_text(json.dumps(content, indent=2) + "\n")
    lines = [
        "| accounts | pipeline ÷ Spark (CPU) | bar | Python's peak, first run | next day | bar |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {it['accounts']:,} | {it['ratio']:.2f} | 1.50 | {_mb(it['pipeline'])} | "
        f"{_mb(it['later'])} | 500 MB |"
        for it in content
    ]
    first, later = content[0]["statements"], content[0]["later_statements"]
    lines += ["", "| statements | first run | next day |", "|---|---|---|"]
    known_purposes = [it for it in [*_PURPOSES, _REPORT] if it in first | later]
    lines += [f"| {it} | {first.get(it, 0)} | {later.get(it, 0)} |" for it in known_purposes]
    lines += [f"| all | {sum(first.values())} | {sum(later.values())} |"]
    (RESULTS / "databricks.md").write_text("\n".join(lines) + "\n")


def _mb(cost: Mapping[str, Any]) -> str:
    return f"{cost['peak'] / 10**6:.0f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.databricks", description=__doc__)
    parser.add_argument("--accounts", type=int, nargs="+", default=[1_000_000, 5_000_000])
    results = []
    for accounts in parser.parse_args().accounts:
        with tempfile.TemporaryDirectory(prefix="bench-databricks-") as name:
            folder = Path(name)
            found = _measure(folder, accounts)
            shutil.rmtree(folder / "inputs")
        results.append(found)
        print(
            f"{accounts:,} accounts: {found.ratio:.2f} x Spark alone (CPU "
            f"{found.pipeline.cpu:.0f} s client + {found.warehouse_cpu:.0f} s warehouse, floor "
            f"{found.floor_cpu:.0f} s), {sum(found.statements.values())} statements, then "
            f"{sum(found.later_statements.values())}, Python's peak {_mb(asdict(found.pipeline))}, "
            f"then {_mb(asdict(found.later))}, wall {found.pipeline.wall:.0f} s, floor "
            f"{found.floor_wall:.0f} s",
            flush=True,
        )
    _write(results)


if __name__ == "__main__":
    main()
