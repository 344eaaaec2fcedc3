"""Fixtures of pytest: one SQL warehouse for all tests of a run, and a client of it for each test.

`pytest_plugins = ["databricks_stand_in.fixtures"]` in the uppermost `conftest.py` adds them.
"""

import os
from collections.abc import Iterator

import pytest

from databricks_stand_in.client import (
    ENVIRONMENT_FILE,
    WarehouseClient,
    new_client,
    read_environment,
    start_warehouse,
)
from databricks_stand_in.workers import folder_of_all_workers, only_one


@pytest.fixture(scope="session")
def warehouse_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables of the warehouse, which the first worker that wants it starts for all."""
    shared = folder_of_all_workers(tmp_path_factory)
    until = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    folder = shared / "sql-warehouse"
    with only_one(shared / "sql-warehouse.lock"):
        if not folder.exists():
            return start_warehouse(folder, until)
    return read_environment(folder / ENVIRONMENT_FILE)


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
