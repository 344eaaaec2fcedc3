"""Connections of dbt that sign in as this project does."""

from typing import Any

from dbt.adapters.databricks.connections import DatabricksConnectionManager
from dbt.adapters.spark.connections import SparkConnectionManager

from dbt.adapters.lendingclubdatabricks.credentials import NAME


class SignedInConnectionManager(DatabricksConnectionManager):
    """dbt-databricks without the client of the SDK, which would sign in by itself."""

    TYPE = NAME

    @property
    def api_client(self) -> Any:  # noqa: ANN401 - the SDK's class
        """Refuse: it is for Python models, which this project has not.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("this project runs SQL models alone")

    def cancel_open(self) -> list[str]:
        """Cancel what is running; there are no Python jobs, for which the SDK would be asked."""
        cancelled: list[str] = SparkConnectionManager.cancel_open(self)
        return cancelled
