"""The terminal: progress, tables and reports for people, JSON for programs."""
