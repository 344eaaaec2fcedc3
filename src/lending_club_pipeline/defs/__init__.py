"""What Dagster shows: thin wiring, one folder per step of the way."""
