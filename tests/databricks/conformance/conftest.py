"""Points dbt's adapter tests at the SQL warehouse that the command started."""

import os

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
