"""Files that are mapped into memory and read from front to back."""

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

WINDOW_BYTES: Final = 2**24


class MappedFile:
    """A memory-mapped file. The pages read lately count as memory of the process.

    Attributes:
        content: its bytes.
    """

    def __init__(self, content: mmap.mmap) -> None:
        self.content = content
        self._kept_from = 0

    def release_before(self, position: int) -> None:
        """Release the memory of the pages before a position. They can still be read."""
        if position - self._kept_from >= WINDOW_BYTES:
            self._kept_from = position // mmap.PAGESIZE * mmap.PAGESIZE
            self.content.madvise(mmap.MADV_DONTNEED, 0, self._kept_from)


@contextmanager
def mapped(file: Path) -> Iterator[MappedFile]:
    """Map a file into memory to read it."""
    with (
        file.open("rb") as opened,
        mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        yield MappedFile(content)
