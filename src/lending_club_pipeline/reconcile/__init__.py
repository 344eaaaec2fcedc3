"""Ledger, movements, volumes, check results and approvals, read from the marts."""
