"""The only code that imports dbt: the parsed project, builds, results, column lineage."""
