"""Measurements after real runs: served, pushed, and shown by the dashboard."""

import gzip
import json
import os
import re
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from lending_club_pipeline.contract.errors import ConfigurationError
from lending_club_pipeline.operating.exporters import Snapshot, parse_headers
from lending_club_pipeline.operating.measurements import (
    MEASUREMENTS,
    OF_DATABRICKS,
    ROWS,
    UNREADABLE,
    Sample,
)
from tests.operating.panels import draw
from tests.operating.programs import DEPLOY, answers, free_port, program, started, wait_for
from tests.operating.receivers import serving
from tests.operating.test_prometheus import EXPRESSIONS, RULES
from tests.workspaces import Workspace

DASHBOARD = DEPLOY / "dashboards" / "lending_club.json"
# What a run on DuckDB has values of; test_metrics_of_databricks has the others.
HERE = [it for it in MEASUREMENTS if it not in OF_DATABRICKS]
CANARY, SECRET = "Zebulon Canaryworth", "nr-key-canary-4711"


def test_what_is_read_once_serves_all_instruments() -> None:
    reads = []

    def read() -> list[Sample]:
        reads.append(1)
        return [Sample(ROWS, 3, {"asset": "a"})]

    snapshot = Snapshot(read)

    assert [it.value for it in snapshot.of(ROWS)] == [3]
    assert [it.value for it in snapshot.of(UNREADABLE)] == [0]
    assert len(reads) == 1


def test_a_storage_that_cannot_be_read_is_a_measurement_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def read() -> list[Sample]:
        raise OSError(f"postgresql://me:{SECRET}@db is away")

    snapshot = Snapshot(read)

    assert [it.value for it in snapshot.of(UNREADABLE)] == [1]
    assert snapshot.of(ROWS) == []
    assert SECRET not in capsys.readouterr().err


def test_headers_are_pairs() -> None:
    assert parse_headers(" api-key=a=b , x=y ") == {"api-key": "a=b", "x": "y"}
    with pytest.raises(ConfigurationError) as caught:
        parse_headers(SECRET)
    assert SECRET not in str(caught.value)


@dataclass
class Pushes:
    """What was pushed by OTLP over HTTP."""

    url: str = ""
    bodies: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def pushes() -> Iterator[Pushes]:
    kept = Pushes()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.bodies.append((dict(self.headers), body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        kept.url = f"http://127.0.0.1:{port}/v1/metrics"
        yield kept


@dataclass
class Exporter:
    url: str
    pushes: Pushes
    folder: Path

    def scrape(self) -> str:
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=60) as answer:
            return str(answer.read().decode())


@pytest.fixture(scope="module")
def exporter(new_workspace: Callable[[str], Workspace]) -> Iterator[Exporter]:
    """`lending-club metrics` after a run, with a daemon beside it."""
    workspace = new_workspace("metrics")
    workspace.deliver(f"1,{CANARY},Yes\n2,,No\n", "A,1,100.00,Savings\nB,9,1.00,Savings\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(workspace.root)
        assert workspace.run().outcome == "success"
    port = free_port()
    with pushes() as pushed:
        environment = workspace.environment() | {
            "METRICS_PORT": str(port),
            "OTLP_ENDPOINT": pushed.url,
            "OTLP_HEADERS": f"api-key={SECRET}",
            "OTLP_INTERVAL_SECONDS": "5",
            "OTEL_SDK_DISABLED": "true",
        }
        daemon = [str(Path(sys.executable).with_name("dagster-daemon")), "run"]
        daemon += ["-m", "lending_club_pipeline.definitions"]
        command = [sys.executable, "-m", "lending_club_pipeline", "metrics"]
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            url, log = f"http://127.0.0.1:{port}", workspace.root / "metrics.log"

            def is_serving() -> bool:
                return "Metrics on" in log.read_text()

            with (
                started(daemon, lambda: True, workspace.root / "daemon.log"),
                started(command, is_serving, log, 240),
            ):
                yield Exporter(url, pushed, workspace.root)


@pytest.mark.operations
def test_every_measurement_is_served_pushed_and_drawn(exporter: Exporter, tmp_path: Path) -> None:
    names = {it.prometheus_name for it in HERE}

    def missing() -> set[str]:
        return names - set(re.findall(r"^(\w+)[{ ]", exporter.scrape(), re.MULTILINE))

    try:
        wait_for(lambda: not missing(), 240, "a value of each measurement", pause=3)
    except AssertionError:
        raise AssertionError(f"not served: {missing()}") from None

    served = exporter.scrape()
    assert "lending_club_databricks" not in served
    assert 'lending_club_asset_rows{asset="account_summary",layer="marts"} 1.0' in served
    assert 'lending_club_published_money{measure="balance"} 100.0' in served
    assert 'reason="customer_not_found",source_file="accounts.csv"} 1.0' in served
    _assert_pushed(exporter)
    expressions = [it for it in EXPRESSIONS if "databricks" not in it]
    assert_drawn(exporter.url, expressions, tmp_path)
    log = (exporter.folder / "metrics.log").read_text()
    said = f"{served}{log}"
    assert CANARY not in said
    assert SECRET not in said


def _assert_pushed(exporter: Exporter) -> None:
    names = {it.name for it in HERE}
    bodies = exporter.pushes.bodies

    wait_for(lambda: bodies and _pushed(*bodies[-1]) == names, 60, "a push of everything", pause=1)

    headers, body = bodies[-1]
    assert headers["api-key"] == SECRET
    assert CANARY.encode() not in body


def _pushed(headers: dict[str, str], body: bytes) -> set[str]:
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (  # noqa: PLC0415 - of an extra
        ExportMetricsServiceRequest,
    )

    request = ExportMetricsServiceRequest.FromString(_unpacked(headers, body))
    return {
        metric.name
        for resource in request.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }


def _unpacked(headers: dict[str, str], body: bytes) -> bytes:

    return gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body


def assert_drawn(exporter: str, expressions: list[str], folder: Path) -> None:
    """Ask a real Prometheus expressions of the dashboard: each must have rows."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    (folder / "rules.yml").write_text(RULES.read_text())
    settings = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    settings["global"] = {"scrape_interval": "5s", "evaluation_interval": "5s"}
    del settings["alerting"]
    settings["scrape_configs"] = [settings["scrape_configs"][0]]
    settings["scrape_configs"][0]["static_configs"] = [
        {"targets": [exporter.removeprefix("http://")]}
    ]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
    command = [
        program("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with started(command, answers(f"{url}/-/ready"), folder / "prometheus.log"):
        # A week is ten seconds here.
        left = [text.replace("offset 7d", "offset 10s") for text in expressions]

        def all_have_rows() -> bool:
            left[:] = [text for text in left if not _rows(url, text)]
            return not left

        try:
            wait_for(all_have_rows, 120, "rows of every expression", pause=2)
        except AssertionError:
            raise AssertionError(f"no rows: {left}") from None
        kept = os.environ.get("SCREENSHOTS")
        if kept:
            # Lines have a length after a while.
            time.sleep(60)
            draw(json.loads(DASHBOARD.read_text()), url, Path(kept) / "dashboard.png")


def _rows(url: str, expression: str) -> list[Any]:
    query = urllib.parse.urlencode({"query": expression})
    with urllib.request.urlopen(f"{url}/api/v1/query?{query}", timeout=30) as answer:
        found: list[Any] = json.load(answer)["data"]["result"]
        return found


@pytest.mark.operations
def test_a_port_that_is_taken_is_said_in_one_line(
    exporter: Exporter, make_workspace: Callable[[str], Workspace]
) -> None:
    port = exporter.url.rpartition(":")[2]

    done = make_workspace("other").cold_command("metrics", "--port", port)

    assert done.returncode == 1
    assert "cannot be used" in done.stderr
    assert "METRICS_PORT" in done.stderr
