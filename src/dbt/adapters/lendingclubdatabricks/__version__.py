"""The version, which dbt reads."""

from importlib.metadata import version as installed

version = installed("dbt-databricks")
