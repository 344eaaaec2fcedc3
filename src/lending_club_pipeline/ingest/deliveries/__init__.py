"""Deliveries in the inputs: find them, watch them, compare them with their control totals."""
