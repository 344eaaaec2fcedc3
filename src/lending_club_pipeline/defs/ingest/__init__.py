"""From delivered files to raw tables."""
