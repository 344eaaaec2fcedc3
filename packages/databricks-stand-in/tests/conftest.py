"""The fixtures are those that the package has for others."""

pytest_plugins = ["databricks_stand_in.fixtures"]
