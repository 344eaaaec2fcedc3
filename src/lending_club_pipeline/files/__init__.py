"""Files, locks and processes of this machine: atomic writes, disk errors."""
