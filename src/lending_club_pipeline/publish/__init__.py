"""What leaves: atomic files, CSV, Parquet, the report."""
