"""A SQL warehouse in this process: its parts, put together."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from databricks_stand_in.catalogs import Catalog
from databricks_stand_in.certificates import make_certificates
from databricks_stand_in.client import ENVIRONMENT_FILE
from databricks_stand_in.commands import Commands
from databricks_stand_in.faults import Faults
from databricks_stand_in.front_door import HTTP_PATH, FrontDoor
from databricks_stand_in.information_schema import InformationSchema
from databricks_stand_in.registers import Governance, StatementLog
from databricks_stand_in.requests import Service
from databricks_stand_in.spark import start_spark
from databricks_stand_in.statements import Statements
from databricks_stand_in.volumes import Volumes

CATALOG: Final = "main"
SCHEMA: Final = "default"


class SqlWarehouse:
    """A SQL warehouse in this process, which can have one.

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
        """Variables that point a client at it."""
        return {
            "DATABRICKS_HOST": self.door.url.removeprefix("https://"),
            "DATABRICKS_HTTP_PATH": HTTP_PATH,
            "DATABRICKS_TOKEN": self.door.sign_in.token,
            "DATABRICKS_CATALOG": CATALOG,
            "DATABRICKS_SCHEMA": SCHEMA,
            "DATABRICKS_CA_FILE": str(self.folder / "ca.pem"),
        }

    def write_environment(self, changed: Mapping[str, str]) -> Path:
        """Write the variables and those of the service principal; return the file.

        Args:
            changed: variables to add, or to write with another value.
        """
        sign_in = self.door.sign_in
        lines = [f"{name}={value}" for name, value in {**self.environment, **changed}.items()]
        lines += [
            "# Instead of the token: a service principal.",
            f"# DATABRICKS_CLIENT_ID={sign_in.client_id}",
            f"# DATABRICKS_CLIENT_SECRET={sign_in.client_secret}",
            "",
        ]
        file = self.folder / ENVIRONMENT_FILE
        file.touch(mode=0o600)
        file.write_text("\n".join(lines))
        return file

    def stop(self) -> None:
        """End it."""
        self.door.shutdown()
        self.door.server_close()
        self._spark.stop()
