"""The production warehouse: a Databricks SQL warehouse, Unity Catalog and Delta tables."""

from lending_club_pipeline.warehouse.databricks.warehouse import DatabricksWarehouse

__all__ = ["DatabricksWarehouse"]
