"""A Databricks SQL warehouse on this machine: Thrift over HTTPS, Spark and Delta Lake."""
