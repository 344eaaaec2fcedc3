"""A Databricks SQL warehouse on this machine: Thrift over HTTPS in front of Spark and Delta Lake."""
