"""Points dbt's adapter tests at the SQL warehouse that the command started."""

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="class")
def dbt_profile_target() -> dict[str, object]:
    """Return the target of all tests."""
    host, path = os.environ["DATABRICKS_HOST"], os.environ["DATABRICKS_HTTP_PATH"]
    return {
        "type": "databricks",
        "host": host,
        "http_path": path,
        "token": os.environ["DATABRICKS_TOKEN"],
        "catalog": os.environ["DATABRICKS_CATALOG"],
        "schema": "overwritten",
        "threads": 2,
        "connection_parameters": {
            "_connection_uri": f"https://{host}{path}",
            "_tls_trusted_ca_file": os.environ["DATABRICKS_CA_FILE"],
            "enable_telemetry": False,
        },
    }


@pytest.fixture(scope="class")
def logs_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Keep dbt's logs out of the checkout, where the suite would put them."""
    folder = str(tmp_path_factory.mktemp("logs"))
    os.environ["DBT_LOG_PATH"] = folder
    yield folder
    del os.environ["DBT_LOG_PATH"]
