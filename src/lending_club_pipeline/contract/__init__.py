"""Shared terms: files and columns, reasons, stages and changes (from dbt's seeds), errors."""
