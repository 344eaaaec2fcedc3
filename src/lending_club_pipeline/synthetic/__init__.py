"""Synthetic deliveries: any size, any share of dirt, the same bytes for the same seed."""
