"""The warehouse: one protocol, and the two engines behind it."""

from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.errors import ConfigurationError
from lending_club_pipeline.warehouse.databricks import DatabricksWarehouse
from lending_club_pipeline.warehouse.duckdb import DuckDBWarehouse
from lending_club_pipeline.warehouse.protocol import Warehouse

__all__ = ["Warehouse", "choose_warehouse"]


def choose_warehouse(settings: DataPlatformConfig) -> Warehouse:
    """Return the warehouse of the settings; no other Python code asks which engine it is.

    Raises:
        ConfigurationError: the settings of that warehouse are incomplete.
    """
    if settings.engine.database_type == "duckdb":
        return DuckDBWarehouse.from_settings(settings)
    if settings.engine.database_type == "databricks":
        return DatabricksWarehouse.from_settings(settings)
    raise ConfigurationError(f"DATABASE_TYPE={settings.engine.database_type} is not known")
