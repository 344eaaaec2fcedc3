"""Standard streams that may be closed, full or without a reader: no command fails because of it."""

import errno
import io
import os
import sys
from contextlib import suppress
from typing import Final

_NAMES: Final = ("stdin", "stdout", "stderr")


class _Lenient(io.FileIO):
    """A stream that reports its first failure, and writes nothing after it."""

    def write(self, data: bytes, /) -> int:  # type: ignore[override]  # a buffer hands down bytes
        try:
            return super().write(data)
        except BlockingIOError:
            raise
        except OSError as error:
            _replace(self.fileno())
            if self.fileno() == 1:
                reason = os.strerror(error.errno or errno.EIO)
                with suppress(OSError):
                    os.write(2, f"The rest of the output cannot be written ({reason}).\n".encode())
            return len(data)


def use_lenient_streams() -> None:
    """Let prints never fail, and open closed streams, so that no file gets their numbers.

    A shell closes a stream by `>&-`. The next file that a process opens would get its number.
    """
    for number, name in enumerate(_NAMES):
        try:
            os.fstat(number)
        except OSError:
            _replace(number)
        stream = getattr(sys, name)
        if number == 0:
            continue
        setattr(
            sys,
            name,
            io.TextIOWrapper(
                io.BufferedWriter(_Lenient(number, "w", closefd=False)),
                encoding=getattr(stream, "encoding", "utf-8"),
                errors=getattr(stream, "errors", "backslashreplace"),
                line_buffering=name == "stderr" or os.isatty(number),
            ),
        )


def _replace(number: int) -> None:
    """Redirect a stream to the null device."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere != number:
        os.dup2(nowhere, number)
        os.close(nowhere)
