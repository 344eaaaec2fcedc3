"""Parity: process one delivery on both engines, and compare them to the last digit."""
