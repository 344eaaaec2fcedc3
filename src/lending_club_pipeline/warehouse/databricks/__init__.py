"""The production warehouse: a Databricks SQL warehouse, Unity Catalog and Delta tables."""

from lending_club_pipeline.warehouse.databricks.connections import WarehouseAddress
from lending_club_pipeline.warehouse.databricks.warehouse import DatabricksWarehouse, qualified

__all__ = ["DatabricksWarehouse", "WarehouseAddress", "qualified"]
