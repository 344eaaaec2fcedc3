"""Alerts, measurements and audit, without Dagster: `defs/operating` reads its storage."""
