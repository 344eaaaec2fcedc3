"""State of a day, plan, retention: what is to be done, and what was."""
