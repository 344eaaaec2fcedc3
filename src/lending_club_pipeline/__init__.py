"""LendingClub Data Pipeline: two CSV extracts in, an exact account_summary out."""
