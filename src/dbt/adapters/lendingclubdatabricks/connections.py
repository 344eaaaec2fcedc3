"""Connections of dbt with the sign-in of this project."""

from typing import Any

from dbt.adapters.databricks.connections import DatabricksConnectionManager
from dbt.adapters.spark.connections import SparkConnectionManager
from dbt_common.exceptions import DbtDatabaseError

from dbt.adapters.lendingclubdatabricks.credentials import NAME
from lending_club_pipeline.contract.errors import WarehouseError
from lending_club_pipeline.warehouse.databricks.leases import ensure_held


class SignedInConnectionManager(DatabricksConnectionManager):
    """dbt-databricks without the SDK's client, which would sign in by itself."""

    TYPE = NAME

    @property
    def api_client(self) -> Any:  # noqa: ANN401 - the SDK's class
        """Refuse: it is for Python models, which this project does not have.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("this project runs only SQL models")

    def add_query(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - dbt's types
        """Send a statement, unless another run has taken the schema meanwhile.

        Raises:
            DbtDatabaseError: it has, or this cannot be checked.
        """
        credentials = self.profile.credentials
        try:
            ensure_held(credentials.host, credentials.database, credentials.schema)
        except WarehouseError as error:
            raise DbtDatabaseError(str(error)) from error
        return super().add_query(*arguments, **options)

    def cancel_open(self) -> list[str]:
        """Cancel running statements; there are no Python jobs, which would need the SDK."""
        cancelled: list[str] = SparkConnectionManager.cancel_open(self)
        return cancelled
