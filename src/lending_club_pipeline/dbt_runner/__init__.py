"""The dbt project: prepared once, run in this process, explained by column."""
