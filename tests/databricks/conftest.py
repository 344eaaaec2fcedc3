"""The fixtures of the SQL warehouse stand-in, with what the pipeline needs beside them."""

import pytest

from tests.databricks.pipelines import CHOSEN


@pytest.fixture(scope="session")
def warehouse_environment(warehouse_environment: dict[str, str]) -> dict[str, str]:
    """Variables of the warehouse, and the one by which the pipeline chooses it."""
    return warehouse_environment | CHOSEN
