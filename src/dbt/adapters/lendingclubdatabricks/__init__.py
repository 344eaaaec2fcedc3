"""dbt's adapter for Databricks, with the sign-in of this project's own connection.

It is dbt-databricks with another sign-in: the original lets variables and files of other tools
decide where secrets go (see `lending_club_pipeline.warehouse.databricks.sign_in`). It also knows
what views select: `dbt/macros/materializations` asks for that. dbt finds an adapter by its name in
this place; see https://docs.getdbt.com/guides/adapter-creation.
"""

from pathlib import Path

from dbt.adapters.base import AdapterPlugin

from dbt.adapters.lendingclubdatabricks.credentials import SignedInCredentials
from dbt.adapters.lendingclubdatabricks.impl import LendingClubDatabricksAdapter

Plugin = AdapterPlugin(
    adapter=LendingClubDatabricksAdapter,
    credentials=SignedInCredentials,
    include_path=str(Path(__file__).parent / "include"),
    dependencies=["databricks"],
)
