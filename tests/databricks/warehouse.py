"""Starts the SQL warehouse stand-in: `make warehouse`, or by itself in the tests.

Prints the path of an `.env` file that points a client at it, then `ready`.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

from tests.databricks.stand_in.catalogs import Catalog
from tests.databricks.stand_in.certificates import make_certificates
from tests.databricks.stand_in.commands import Commands
from tests.databricks.stand_in.faults import Faults
from tests.databricks.stand_in.front_door import HTTP_PATH, FrontDoor
from tests.databricks.stand_in.information_schema import InformationSchema
from tests.databricks.stand_in.registers import Governance, StatementLog
from tests.databricks.stand_in.requests import Service
from tests.databricks.stand_in.spark import start_spark
from tests.databricks.stand_in.statements import Statements
from tests.databricks.stand_in.volumes import Volumes

CATALOG: Final = "main"
SCHEMA: Final = "lending_club"


class SqlWarehouse:
    """A SQL warehouse in this process.

    Args:
        folder: where all of its state goes.
        port: where it listens; 0 is any free port.
        heap: memory of Spark's Java heap.
        interpreted: compile no code for statements, which is quicker for small ones.
    """

    def __init__(
        self, folder: Path, port: int = 0, heap: str = "2g", *, interpreted: bool = False
    ) -> None:
        self.folder = folder.absolute()
        self.faults, self.log = Faults(), StatementLog()
        self.door = FrontDoor(make_certificates(self.folder), port)
        threading.Thread(target=self.door.serve_forever, daemon=True).start()
        self._spark = start_spark(self.folder / "spark", heap, interpreted=interpreted)
        catalog, governance = Catalog(self._spark), Governance()
        volumes = Volumes(self.folder / "spark" / "Volumes", CATALOG)
        commands = Commands(CATALOG, self.door.url, catalog, governance, volumes)
        views = InformationSchema(CATALOG, catalog, governance, volumes)
        statements = Statements(CATALOG, catalog, commands, views)
        self.door.volumes = volumes
        self.door.service = Service(
            CATALOG, self._spark, catalog, statements, self.log, self.faults
        )

    @property
    def environment(self) -> dict[str, str]:
        """Variables that point the pipeline at it."""
        return {
            "DATABASE_TYPE": "databricks",
            "DATABRICKS_HOST": self.door.url.removeprefix("https://"),
            "DATABRICKS_HTTP_PATH": HTTP_PATH,
            "DATABRICKS_TOKEN": self.door.sign_in.token,
            "DATABRICKS_CATALOG": CATALOG,
            "DATABRICKS_SCHEMA": SCHEMA,
            "DATABRICKS_CA_FILE": str(self.folder / "ca.pem"),
        }

    def write_environment(self) -> Path:
        """Write the variables, and those of the service principal, and return the file."""
        sign_in = self.door.sign_in
        lines = [f"{name}={value}" for name, value in self.environment.items()]
        lines += ["# Instead of the token: a service principal.", ""]
        lines.insert(-1, f"# DATABRICKS_CLIENT_ID={sign_in.client_id}")
        lines.insert(-1, f"# DATABRICKS_CLIENT_SECRET={sign_in.client_secret}")
        file = self.folder / "warehouse.env"
        file.touch(mode=0o600)
        file.write_text("\n".join(lines))
        return file

    def stop(self) -> None:
        """End it."""
        self.door.shutdown()
        self.door.server_close()
        self._spark.stop()


def _wait(process: int | None) -> None:
    """Return at a signal to end, or when another process has ended."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    while not ended.wait(0.5):
        if process is not None and not _is_alive(process):
            return


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="keep state here instead of a temporary folder")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--heap", default="2g")
    parser.add_argument(
        "--interpreted",
        action="store_true",
        help="be quicker with small statements, slow with large",
    )
    parser.add_argument("--until", type=int, metavar="PID", help="end when this process has ended")
    arguments = parser.parse_args()
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="sql-warehouse-"))
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    try:
        warehouse = SqlWarehouse(
            folder, arguments.port, arguments.heap, interpreted=arguments.interpreted
        )
        sys.stdout.write(f"{warehouse.write_environment()}\nready\n")
        sys.stdout.flush()
        sys.stderr.write(f"started in {time.monotonic() - started:.1f} s; Ctrl-C ends it\n")
        _wait(arguments.until)
        warehouse.stop()
    finally:
        if arguments.folder is None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
