"""Conditions of a machine under which a test works: no right to read or write, a full disk."""

import ctypes
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_CAPABILITY_VERSION_3: Final = 0x20080522
# CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: with them root may read and write whatever it likes.
_IGNORES_PERMISSIONS: Final = (1 << 1) | (1 << 2)


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Sets(ctypes.Structure):
    _fields_ = [
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    ]


@contextmanager
def mode(path: Path, bits: int) -> Iterator[None]:
    """Give a file or folder these permissions, and make root obey them like anybody else."""
    before = path.stat().st_mode
    path.chmod(bits)
    try:
        with _obeying_permissions():
            yield
    finally:
        path.chmod(before)


@contextmanager
def _obeying_permissions() -> Iterator[None]:
    """Take from this thread, and from those that it starts, root's right to ignore permissions."""
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = _Header(_CAPABILITY_VERSION_3, 0)
    sets = (_Sets * 2)()
    _checked(libc.capget(ctypes.byref(header), sets))
    before = sets[0].effective
    sets[0].effective = before & ~_IGNORES_PERMISSIONS
    _checked(libc.capset(ctypes.byref(header), sets))
    try:
        yield
    finally:
        sets[0].effective = before
        _checked(libc.capset(ctypes.byref(header), sets))


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


@contextmanager
def largest_file(size_bytes: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size, as if the disk were full from there on."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
