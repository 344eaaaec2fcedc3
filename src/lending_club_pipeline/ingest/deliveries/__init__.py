"""Deliveries in their folder: found, watched, held against their control totals."""
