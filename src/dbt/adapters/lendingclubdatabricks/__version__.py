"""The version that dbt asks for."""

from importlib.metadata import version as installed

version = installed("dbt-databricks")
