"""One delivery on both engines, and whether they agree to the last digit."""
