"""Files, locks and processes of this machine: atomic writes, errors of the disk."""
