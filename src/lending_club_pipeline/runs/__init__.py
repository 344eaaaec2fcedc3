"""State of each day, plan, retention."""
