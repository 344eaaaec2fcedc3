"""The words of the field, once: files and columns, reasons, errors, check results."""
