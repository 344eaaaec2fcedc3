"""The public test suite of dbt's adapters, run against the stand-in: `make conformance`."""
