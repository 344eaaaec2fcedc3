"""From marts to files."""
