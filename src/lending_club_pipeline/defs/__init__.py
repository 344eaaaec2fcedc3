"""Dagster's definitions: thin wiring, one folder per step of the pipeline."""
