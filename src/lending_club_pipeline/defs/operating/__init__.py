"""The only readers of Dagster's storage for what is wrong and how much there is."""
