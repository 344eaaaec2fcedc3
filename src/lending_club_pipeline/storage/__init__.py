"""Folders and object stores: deliveries are read there, and outputs are published there."""
