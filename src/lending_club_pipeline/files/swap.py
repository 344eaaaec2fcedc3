"""Swap two folders atomically, if the operating system can."""

import ctypes
import errno
import os
from pathlib import Path
from typing import Final

_FROM_HERE: Final = -100
_RENAME_EXCHANGE: Final = 2
_CANNOT: Final = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)


def swap(first: Path, second: Path) -> bool:
    """Swap two folders of one file system atomically: both names exist at every moment.

    Returns:
        False if the operating system (macOS) or the file system cannot; nothing has changed then.

    Raises:
        OSError: one of them is missing, or may not be renamed.
    """
    # Python has no function for it; the C libraries of Linux do.
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    paths = (os.fsencode(first), os.fsencode(second))
    if rename(_FROM_HERE, paths[0], _FROM_HERE, paths[1], _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT:
        return False
    raise OSError(number, os.strerror(number), str(first))
