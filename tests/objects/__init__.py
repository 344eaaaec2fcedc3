"""Deliveries and outputs in object stores, on real servers of this machine."""
