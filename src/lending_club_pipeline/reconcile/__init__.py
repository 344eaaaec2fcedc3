"""Ledger, movements and approvals: read from the marts, compared, decided."""
