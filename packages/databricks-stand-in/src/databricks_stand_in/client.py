"""A client of the stand-in: runs statements, looks at what came, switches faults on."""

import json
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

# What the server writes into its folder.
ENVIRONMENT_FILE: Final = "warehouse.env"
_START_SECONDS: Final = 240


@dataclass
class WarehouseClient:
    """A client of the SQL warehouse with a token and a schema of its own.

    Attributes:
        environment: variables of the warehouse, as its `.env` file has them.
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

    @property
    def service_principal(self) -> tuple[str, str]:
        """Id and secret of the service principal, which has no schema of its own."""
        text = (self.ca_file.parent / ENVIRONMENT_FILE).read_text()
        found = dict(re.findall(r"^# (DATABRICKS_CLIENT_\w+)=(.*)$", text, re.MULTILINE))
        return found["DATABRICKS_CLIENT_ID"], found["DATABRICKS_CLIENT_SECRET"]

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
        from databricks import sql  # noqa: PLC0415 - takes a second, and many a test needs none

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
        with urllib.request.urlopen(  # noqa: S310 - the scheme stands above
            request, context=context, timeout=60
        ) as answer:
            return json.loads(answer.read())

    def statements(self) -> list[dict[str, Any]]:
        """Return the statements that came with this token."""
        answer: list[dict[str, Any]] = self.request("GET", "/statements")
        return answer

    def arm(self, kind: str, **options: Any) -> None:
        """Switch a fault on for this token; see `faults.Fault` for the options."""
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
    """Start a warehouse in a process of its own and return its variables.

    Args:
        folder: where all of its state goes; it must not be there yet.
        until: the warehouse ends when the process of this id has ended.

    Raises:
        RuntimeError: it does not start.
    """
    folder.mkdir()
    command = [sys.executable, "-m", "databricks_stand_in", "--folder", str(folder)]
    output = (folder / "output").open("w")
    server = subprocess.Popen(
        [*command, "--interpreted", "--until", str(until)],
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
    return read_environment(folder / ENVIRONMENT_FILE)


def read_environment(file: Path) -> dict[str, str]:
    """Return the variables that the warehouse wrote into its `.env` file."""
    lines = file.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@contextmanager
def new_client(environment: dict[str, str], name: str) -> Iterator[WarehouseClient]:
    """Give a client with a token and a schema of its own, which is dropped in the end."""
    token = WarehouseClient(environment).request("POST", "/tokens")["token"]
    schema = f"{re.sub(r'[^a-z0-9]+', '_', name.lower())[:40]}_{secrets.token_hex(3)}"
    own = {"DATABRICKS_TOKEN": token, "DATABRICKS_SCHEMA": schema}
    client = WarehouseClient({**environment, **own})
    yield client
    client.close()
