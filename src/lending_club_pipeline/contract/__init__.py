"""The words of the field, once: files and columns, reasons, errors, preflight results."""
