"""The production warehouse: a Databricks SQL warehouse, Unity Catalog and Delta tables.

Retries: `config/databricks.py` sets how long (`retry_seconds`), `errors.py` says which errors are
transient, and `statements.py` sends statements again.
"""

from lending_club_pipeline.warehouse.databricks.warehouse import DatabricksWarehouse

__all__ = ["DatabricksWarehouse"]
