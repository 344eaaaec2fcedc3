"""The pipeline's side of a SQL warehouse, for a client of the stand-in."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from databricks_stand_in.client import WarehouseClient
from lending_club_pipeline.config.settings import DataPlatformConfig, load_settings
from lending_club_pipeline.warehouse.databricks.statements import StatementSession
from lending_club_pipeline.warehouse.databricks.warehouse import DatabricksWarehouse
from tests.databricks.deliveries import DAY, land_delivery

# Beside the variables of the warehouse: the one by which the pipeline chooses it.
CHOSEN: Final = {"DATABASE_TYPE": "databricks"}


def settings_of(client: WarehouseClient, folder: Path, **changed: Any) -> DataPlatformConfig:
    """Return settings that point at the warehouse, with all local files below a folder."""
    given: dict[str, Any] = {name.lower(): value for name, value in client.environment.items()}
    given |= {
        "input_path": folder / "inputs",
        "output_path": folder / "outputs",
        "landing_path": folder / "landing",
        "dagster_home": folder / "dagster",
        "databricks_retry_seconds": 60,
    }
    return load_settings(given | changed)


def warehouse_of(client: WarehouseClient, folder: Path, **changed: Any) -> DatabricksWarehouse:
    """Return the pipeline's own view of the warehouse."""
    return DatabricksWarehouse.from_settings(settings_of(client, folder, **changed))


@contextmanager
def statement_session(
    client: WarehouseClient, folder: Path, **changed: Any
) -> Iterator[StatementSession]:
    """Open a session as the pipeline does, without keeping other runs out."""
    warehouse = warehouse_of(client, folder, **changed)
    folder.mkdir(parents=True, exist_ok=True)
    with warehouse.session(read_only=True):
        yield warehouse.statements


@contextmanager
def loaded_session(client: WarehouseClient, folder: Path) -> Iterator[DatabricksWarehouse]:
    """Open a session as a run does, with a delivery of the tests landed and loaded."""
    landed = land_delivery(folder)
    warehouse = warehouse_of(client, folder)
    with warehouse.session():
        warehouse.load_raw(landed.parent, DAY)
        yield warehouse


def count_statements(client: WarehouseClient, work: Callable[[], Any]) -> list[str]:
    """Return the statements that some work sends."""
    before = len(client.statements())
    work()
    return [ran["text"] for ran in client.statements()[before:]]


def environment_of(client: WarehouseClient, folder: Path, **changed: str) -> dict[str, str]:
    """Return the environment in which `lending-club` runs on the warehouse."""
    given = {
        **os.environ,
        **client.environment,
        "INPUT_PATH": str(folder / "inputs"),
        "OUTPUT_PATH": str(folder / "outputs"),
        "LANDING_PATH": str(folder / "landing"),
        "DAGSTER_HOME": str(folder / "dagster"),
        "TMPDIR": str(folder / "tmp"),
        "DATABRICKS_RETRY_SECONDS": "60",
    }
    return given | changed


def files_in_volume(client: WarehouseClient, folder: str = "") -> list[str]:
    """Return all files below a folder of the volume, by default that of deliveries."""
    folder = folder or f"/Volumes/{client.catalog}/{client.schema}/landing"
    found: list[str] = []
    for row in client.run(f"list '{folder}'"):
        path = str(row[0])
        found += files_in_volume(client, path.rstrip("/")) if path.endswith("/") else [path]
    return sorted(found)
