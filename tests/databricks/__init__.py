"""The pipeline on Databricks: a local SQL warehouse stand-in, and what is tested against it."""
