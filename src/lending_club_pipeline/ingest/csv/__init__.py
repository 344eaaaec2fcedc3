"""A CSV reader that can prove that nothing is missing."""
