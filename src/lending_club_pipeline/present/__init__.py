"""How people see numbers, progress and reports in a terminal."""
