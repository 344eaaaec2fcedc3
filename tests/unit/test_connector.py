"""The SQL connector is imported without pandas, which it then finds all the same."""

import subprocess
import sys

import pytest

_CONNECTOR = """
import sys
from lending_club_pipeline.warehouse.databricks.connector import import_connector
"""
_ITSELF = "from databricks.sql import client, result_set"


def _said(*lines: str) -> str:
    script = _CONNECTOR + "\n".join(lines)
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def test_pandas_is_not_imported_by_it_nor_by_the_adapter_of_dbt() -> None:
    assert (
        _said(
            "sql = import_connector()",
            "import dbt.adapters.databricks",
            "print(sql.connect.__name__, 'pandas' in sys.modules)",
        )
        == "connect False"
    )


@pytest.mark.parametrize("imported", ["", "import pandas"], ids=["never", "before"])
def test_whoever_needs_pandas_gets_it(imported: str) -> None:
    assert (
        _said(
            imported,
            "import_connector()",
            _ITSELF,
            "found = client.pandas.DataFrame, result_set.pandas.Int64Dtype",
            "import pandas",
            "print(found == (pandas.DataFrame, pandas.Int64Dtype))",
        )
        == "True"
    )


def test_it_may_be_asked_for_more_than_once() -> None:
    assert _said("print(import_connector() is import_connector())") == "True"
