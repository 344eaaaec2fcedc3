"""dbt's adapter for Databricks, which signs in as this project's own connection does.

It is dbt-databricks with another way to sign in: that one lets variables and files of other tools
decide where secrets go (see `lending_club_pipeline.warehouse.databricks.sign_in`). dbt finds an
adapter by its name in this place; see https://docs.getdbt.com/guides/adapter-creation.
"""

from pathlib import Path

from dbt.adapters.base import AdapterPlugin
from dbt.adapters.databricks.impl import DatabricksAdapter

from dbt.adapters.lendingclubdatabricks.connections import SignedInConnectionManager
from dbt.adapters.lendingclubdatabricks.credentials import SignedInCredentials


class LendingClubDatabricksAdapter(DatabricksAdapter):
    """dbt-databricks with our connections; from this name dbt derives that of its module."""

    ConnectionManager = SignedInConnectionManager


Plugin = AdapterPlugin(
    adapter=LendingClubDatabricksAdapter,
    credentials=SignedInCredentials,
    include_path=str(Path(__file__).parent / "include"),
    dependencies=["databricks"],
)
