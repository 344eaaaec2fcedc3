"""Connections of dbt that sign in as this project does."""

from typing import Any

from dbt.adapters.databricks.connections import DatabricksConnectionManager
from dbt.adapters.spark.connections import SparkConnectionManager
from dbt_common.exceptions import DbtDatabaseError

from dbt.adapters.lendingclubdatabricks.credentials import NAME
from lending_club_pipeline.contract.errors import WarehouseError
from lending_club_pipeline.warehouse.databricks.leases import ensure_held


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

    def add_query(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - dbt's types
        """Send a statement, unless another run has taken the schema meanwhile.

        Raises:
            DbtDatabaseError: it has, or that cannot be found out.
        """
        credentials = self.profile.credentials
        try:
            ensure_held(credentials.host, credentials.database, credentials.schema)
        except WarehouseError as error:
            raise DbtDatabaseError(str(error)) from error
        return super().add_query(*arguments, **options)

    def cancel_open(self) -> list[str]:
        """Cancel what is running; there are no Python jobs, for which the SDK would be asked."""
        cancelled: list[str] = SparkConnectionManager.cancel_open(self)
        return cancelled
