"""Fixtures: one SQL warehouse for all tests of a run, and a client of it for each test."""

import json
import os
import re
import secrets
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from databricks import sql
from tests.conftest import folder_of_all_workers, only_one

ROOT: Final = Path(__file__).parents[2]
_START_SECONDS: Final = 240


@dataclass
class WarehouseClient:
    """A client of the SQL warehouse with a token and a schema of its own.

    Attributes:
        environment: the variables that point the pipeline at the warehouse.
    """

    environment: dict[str, str]
    _connections: list[Any] = field(default_factory=list)

    @property
    def host(self) -> str:
        """Host and port."""
        return self.environment["DATABRICKS_HOST"]

    @property
    def token(self) -> str:
        """The token."""
        return self.environment["DATABRICKS_TOKEN"]

    @property
    def catalog(self) -> str:
        """The catalog."""
        return self.environment["DATABRICKS_CATALOG"]

    @property
    def schema(self) -> str:
        """The schema; it is not made yet."""
        return self.environment["DATABRICKS_SCHEMA"]

    @property
    def ca_file(self) -> Path:
        """The certificate authority to trust."""
        return Path(self.environment["DATABRICKS_CA_FILE"])

    def connect(self, **options: Any) -> Any:
        """Open a connection of the SQL connector."""
        http_path = self.environment["DATABRICKS_HTTP_PATH"]
        settings: dict[str, Any] = {
            "server_hostname": self.host,
            "http_path": http_path,
            "access_token": self.token,
            "catalog": self.catalog,
            "schema": self.schema,
            "_connection_uri": f"https://{self.host}{http_path}",
            "_tls_trusted_ca_file": str(self.ca_file),
            "enable_telemetry": False,
            "_retry_delay_max": 5,
        }
        connection = sql.connect(**settings | options)
        self._connections.append(connection)
        return connection

    def run(self, statement: str, **options: Any) -> list[tuple[Any, ...]]:
        """Run a statement in a session of its own and return its rows."""
        with self.connect(**options) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return [tuple(row) for row in cursor.fetchall()]

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request beside Thrift, such as `GET /statements`."""
        request = urllib.request.Request(
            f"https://{self.host}{path}",
            method=method,
            headers={"Authorization": f"Bearer {self.token}"},
            data=None if body is None else json.dumps(body).encode(),
        )
        context = ssl.create_default_context(cafile=str(self.ca_file))
        with urllib.request.urlopen(request, context=context, timeout=60) as answer:
            return json.loads(answer.read())

    def statements(self) -> list[dict[str, Any]]:
        """Return the statements that came with this token."""
        answer: list[dict[str, Any]] = self.request("GET", "/statements")
        return answer

    def arm(self, kind: str, **options: Any) -> None:
        """Switch a fault on for this token; see `stand_in/faults.py`."""
        self.request("POST", "/faults", {"kind": kind, **options})

    def disarm(self) -> None:
        """Switch all faults of this token off."""
        self.request("DELETE", "/faults")

    def close(self) -> None:
        """Close what is open and drop the schema."""
        self.disarm()
        for connection in self._connections:
            connection.close()
        self.run(f"drop schema if exists {self.catalog}.`{self.schema}` cascade")


def start_warehouse(folder: Path, until: int) -> dict[str, str]:
    """Start a warehouse that ends when a process has ended; return its variables."""
    folder.mkdir()
    command = [sys.executable, "-m", "tests.databricks.warehouse", "--folder", str(folder)]
    output = (folder / "output").open("w")
    server = subprocess.Popen(
        [*command, "--interpreted", "--until", str(until)],
        cwd=ROOT,
        stdout=output,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + _START_SECONDS
    while "\nready\n" not in (text := (folder / "output").read_text()):
        if server.poll() is not None or time.monotonic() > deadline:
            server.kill()
            raise RuntimeError(f"the SQL warehouse did not start:\n{text[-3000:]}")
        time.sleep(0.1)
    return _environment(folder)


def _environment(folder: Path) -> dict[str, str]:
    lines = (folder / "warehouse.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@pytest.fixture(scope="session")
def warehouse_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables of the warehouse, which the first worker that wants it starts for all."""
    shared = folder_of_all_workers(tmp_path_factory)
    until = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    folder = shared / "sql-warehouse"
    with only_one(shared / "sql-warehouse.lock"):
        if not folder.exists():
            return start_warehouse(folder, until)
    return _environment(folder)


@contextmanager
def new_client(environment: dict[str, str], name: str) -> Iterator[WarehouseClient]:
    """Give a client with a token and a schema of its own, which is dropped in the end."""
    token = WarehouseClient(environment).request("POST", "/tokens")["token"]
    schema = f"{re.sub(r'[^a-z0-9]+', '_', name.lower())[:40]}_{secrets.token_hex(3)}"
    own = {"DATABRICKS_TOKEN": token, "DATABRICKS_SCHEMA": schema}
    client = WarehouseClient({**environment, **own})
    yield client
    client.close()


@pytest.fixture
def warehouse(
    warehouse_environment: dict[str, str], request: pytest.FixtureRequest
) -> Iterator[WarehouseClient]:
    """A client with a token and a schema of its own, which is dropped in the end."""
    with new_client(warehouse_environment, request.node.name) as client:
        yield client


@pytest.fixture(scope="module")
def shared_warehouse(
    warehouse_environment: dict[str, str], request: pytest.FixtureRequest
) -> Iterator[WarehouseClient]:
    """The same for all tests of a file."""
    with new_client(warehouse_environment, request.module.__name__.rpartition(".")[2]) as client:
        yield client


@pytest.fixture
def schema(warehouse: WarehouseClient) -> str:
    """A schema that is there, with its catalog."""
    name = f"{warehouse.catalog}.{warehouse.schema}"
    warehouse.run(f"create schema {name}")
    return name
