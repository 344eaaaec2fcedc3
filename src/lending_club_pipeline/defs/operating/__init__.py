"""The only code that reads Dagster's storage for alerts and measurements."""
