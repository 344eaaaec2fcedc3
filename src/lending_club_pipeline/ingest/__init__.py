"""From delivered files to landed Parquet: find a delivery, check that it is complete, split it."""
