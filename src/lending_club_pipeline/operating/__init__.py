"""What is wrong, how much there is, who is told: without Dagster, which is read in `defs`."""
