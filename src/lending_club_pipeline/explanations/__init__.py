"""The story of one account or customer: where it came from, and what became of it and why."""
