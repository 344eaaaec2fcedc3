"""`make bench-at-rest`: what the services cost while nothing is to do, with 1,000 days of history.

Writes `bench/results/at_rest.md`. The history is that of real runs, many days in each.
"""

import argparse
import datetime as dt
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
from sqlalchemy import Engine, event

from bench.contenders import environment
from lending_club_pipeline.config.environment import temporary_environment
from lending_club_pipeline.config.settings import load_settings
from lending_club_pipeline.defs.instance import open_instance
from lending_club_pipeline.defs.operating.samples import reading_samples
from lending_club_pipeline.defs.project import build_definitions

RESULTS = Path(__file__).parent / "results" / "at_rest.md"
FIRST = dt.date(2023, 1, 1)
ALERTS_AN_HOUR, SCRAPES_AN_HOUR = 240, 120
MEBIBYTE = 2**20
HEAD = """# What the services cost at rest

Written by `make bench-at-rest`: {days} business dates processed, {runs} runs, {events} partitions
of assets, a history of {size:.0f} MB in SQLite. The sensor `alerts` looks every 15 seconds,
Prometheus asks every 30, nobody has a page open.

| service | CPU s an hour | memory MB | statements a minute | a look takes ms |
|---|---:|---:|---:|---:|
"""


@dataclass(frozen=True)
class AtRest:
    """What something costs.

    Attributes:
        cpu_seconds: CPU time an hour.
        megabytes: memory of its process; None if it is part of another one.
        statements: SQL statements a minute; None if they were not counted.
        milliseconds: how long one look takes; None if there is none.
    """

    cpu_seconds: float
    megabytes: float | None
    statements: float | None
    milliseconds: float | None

    def row(self, name: str) -> str:
        """Return its line of the table."""
        values = (self.megabytes, self.statements, self.milliseconds)
        shown = ("-" if it is None else f"{it:,.0f}" for it in values)
        return f"| {name} | {self.cpu_seconds:,.0f} | {' | '.join(shown)} |\n"


def make_history(root: Path, days: int, days_a_run: int) -> None:
    """Process many small deliveries."""
    for number in range(days):
        folder = root / "inputs" / (FIRST + dt.timedelta(number)).isoformat()
        folder.mkdir(parents=True)
        (folder / "Customer.csv").write_text("CustomerID,Name,HasLoan\n1,Ada,Yes\n")
        text = f"AccountID,CustomerID,Balance,AccountType\nA,1,{1000 + number}.00,Savings\n"
        (folder / "accounts.csv").write_text(text)
    last = FIRST + dt.timedelta(days - 1)
    command = [sys.executable, "-m", "lending_club_pipeline", "run", "--quiet"]
    which = ["--from", FIRST.isoformat(), "--to", last.isoformat()]
    given = {
        **os.environ,
        **environment(root / "inputs", root / "home"),
        "BACKFILL_DAYS_PER_RUN": str(days_a_run),
    }
    subprocess.run([*command, *which], env=given, check=True)


@contextmanager
def _counted() -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def _looked(look: Callable[[], object], times: int, an_hour: int) -> AtRest:
    """Measure a look that takes place in this process."""
    look()
    with _counted() as statements:
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in range(times):
            look()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return AtRest(
        cpu / times * an_hour, None, len(statements) / times * an_hour / 60, wall / times * 1000
    )


@contextmanager
def _alertmanager() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def measure_sensor(times: int) -> AtRest:
    """Measure the sensor `alerts`."""
    with _alertmanager() as address:
        settings = load_settings({"alertmanager_url": address})
        definitions = build_definitions(settings)
        sensor = definitions.get_repository_def().get_sensor_def("alerts")
        with open_instance(settings.dagster.home.absolute()) as instance:

            def look() -> None:
                context = dg.build_sensor_context(instance=instance, definitions=definitions)
                sensor(context)

            return _looked(look, times, ALERTS_AN_HOUR)


def measure_exporter(times: int) -> AtRest:
    """Measure the reads of `lending-club metrics`."""
    with reading_samples(load_settings()) as read:
        return _looked(read, times, SCRAPES_AN_HOUR)


def measure_process(command: list[str], ready: str, seconds: float, every: float | None) -> AtRest:
    """Measure a service in a process of its own, asked every so many seconds, or not at all."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(ready)
            cpu = _cpu(process.pid)
            until, asked = time.monotonic() + seconds, 0
            while time.monotonic() < until:
                if every is not None:
                    _ask(ready)
                    asked += 1
                time.sleep(every or 1)
            spent = _cpu(process.pid) - cpu
            tree = [psutil.Process(process.pid), *psutil.Process(process.pid).children(True)]
            memory = sum(it.memory_info().rss for it in tree) / MEBIBYTE
        finally:
            process.terminate()
            process.wait(30)
    an_hour = spent / asked * SCRAPES_AN_HOUR if asked else spent / seconds * 3600
    return AtRest(an_hour, memory, None, None)


def _ask(address: str) -> None:
    urllib.request.urlopen(address).close()  # noqa: S310 - on loopback


def _cpu(pid: int) -> float:
    tree = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return sum(sum(it.cpu_times()[:2]) for it in tree)


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + 300
    while True:
        try:
            _ask(address)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


def write(root: Path, days: int, times: int, seconds: float) -> str:
    """Measure everything, and return the page."""
    with open_instance(root / "dagster") as instance:
        runs = instance.get_runs_count()
        events = sum(
            len(instance.event_log_storage.get_materialized_partitions(key))
            for key in instance.all_asset_keys()
        )
    size = sum(it.stat().st_size for it in (root / "dagster").rglob("*.db")) / MEBIBYTE
    module = "lending_club_pipeline.definitions"
    webserver = [sys.executable, "-m", "dagster_webserver", "-m", module, "-p", "3977"]
    metrics = [sys.executable, "-m", "lending_club_pipeline", "metrics", "--port", "9977"]
    text = HEAD.format(days=days, runs=runs, events=events, size=size)
    text += measure_sensor(times).row("sensor `alerts` (in the code server)")
    text += measure_exporter(times).row("reads of `lending-club metrics`")
    asked = measure_process(metrics, "http://127.0.0.1:9977/metrics", seconds, 3)
    text += asked.row("`lending-club metrics`, the process")
    idle = measure_process(webserver, "http://127.0.0.1:3977/server_info", seconds, None)
    return text + idle.row("webserver and its code server, idle")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=1000)
    parser.add_argument("--days-a-run", type=int, default=31)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_history(root, given.days, given.days_a_run)
        with temporary_environment(environment(root / "inputs", root / "home")):
            page = write(root, given.days, given.times, given.seconds)
    RESULTS.write_text(page)
    print(page)


if __name__ == "__main__":
    main()
