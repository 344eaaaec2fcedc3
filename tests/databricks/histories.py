"""A workspace that answers for its query history as the API is documented, and nothing else.

See https://docs.databricks.com/api/workspace/queryhistory/list.
"""

import datetime as dt
import itertools
import json
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from databricks_stand_in.certificates import make_certificates
from lending_club_pipeline.config.settings import DataPlatformConfig, load_settings
from lending_club_pipeline.warehouse.databricks.connections import tags_of
from tests.operating.receivers import serving

TOKEN: Final = "dapi-canary-4711"
NOW: Final = dt.datetime.now(dt.UTC).replace(microsecond=0)
RUN: Final = tags_of("run-1")
_NUMBERS: Final = itertools.count()


@dataclass(frozen=True)
class Refusal:
    """An answer that is not the one that was asked for."""

    status: int
    body: dict[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Workspace:
    """A workspace.

    Attributes:
        host: with its port.
        ca_file: the authority to trust.
        statements: what ran, newest first, as the API shows it.
        refusals: answered first, one after the other.
        asked: the parameters of each request.
    """

    host: str
    ca_file: Path
    statements: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)

    def settings(self, **changed: Any) -> DataPlatformConfig:
        given = {
            "database_type": "databricks",
            "databricks_host": self.host,
            "databricks_http_path": "/sql/1.0/warehouses/abc123",
            "databricks_token": TOKEN,
            "databricks_catalog": "main",
            "databricks_schema": "lending_club",
            "databricks_ca_file": self.ca_file,
        }
        return load_settings({**given, **changed})

    def answer(
        self, query: str, token: str | None
    ) -> tuple[int, dict[str, Any], Mapping[str, str]]:
        self.asked.append(dict(urllib.parse.parse_qsl(query)))
        if self.refusals:
            refusal = self.refusals.pop(0)
            return refusal.status, dict(refusal.body), refusal.headers
        if token != f"Bearer {TOKEN}":
            return 401, {"error_code": "UNAUTHENTICATED", "message": "who?"}, {}
        asked = self.asked[-1]
        first = int(asked["filter_by.query_start_time_range.start_time_ms"])
        chosen = [it for it in self.statements if it["query_start_time_ms"] >= first]
        start, limit = int(asked.get("page_token", "0")), int(asked["max_results"])
        page: dict[str, Any] = {"res": chosen[start : start + limit]}
        if start + limit < len(chosen):
            page |= {"has_next_page": True, "next_page_token": str(start + limit)}
        else:
            page["has_next_page"] = False
        return 200, page, {}


def ran(
    tags: Mapping[str, str] = RUN, status: str = "FINISHED", age: dt.timedelta | None = None
) -> dict[str, Any]:
    """Return a statement of 1.5 seconds that read 10 bytes and wrote 5."""
    started = round((NOW - (age or dt.timedelta(minutes=1))).timestamp() * 1000)
    return {
        "query_id": f"01f0-{next(_NUMBERS)}",
        "status": status,
        "query_text": "select 'Zebulon Canaryworth'",
        "query_start_time_ms": started,
        "warehouse_id": "abc123",
        "duration": 1500,
        "rows_produced": 1,
        "is_final": True,
        "metrics": {"total_time_ms": 1500, "read_bytes": 10, "write_remote_bytes": 5},
        "query_tags": [{"key": key, "value": value} for key, value in tags.items()],
    }


@contextmanager
def workspace_at(folder: Path) -> Iterator[Workspace]:
    """Serve a workspace on loopback.

    Args:
        folder: for its certificates.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            if path == "/api/2.0/sql/history/queries":
                status, body, headers = own.answer(query, self.headers.get("Authorization"))
            else:
                status, body, headers = 404, {"error_code": "ENDPOINT_NOT_FOUND"}, {}
            content = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = make_certificates(folder).wrap_socket(server.socket, server_side=True)
    own = Workspace(f"localhost:{server.server_address[1]}", folder / "ca.pem")
    with serving(server):
        yield own
