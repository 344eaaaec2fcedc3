"""Traces of one account or customer, and the differences between two deliveries."""
