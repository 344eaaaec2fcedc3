"""Outputs in a folder of this machine."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from lending_club_pipeline.files.atomic import Publication, describe, explaining
from lending_club_pipeline.files.sharing import OWNER_ONLY, Sharing


@dataclass(frozen=True)
class FolderOutputs:
    """A folder of published files; see `Outputs`.

    Attributes:
        location: the folder.
        sharing: who may read its files.
    """

    location: Path
    sharing: Sharing = OWNER_ONLY

    def publication(self, manifest: str = "") -> "FolderOutputSet":  # noqa: ARG002 - see there
        """Begin to publish some files together; they are exchanged one right after the other."""
        return FolderOutputSet(self.location, Publication(sharing=self.sharing))

    def read(self, name: str) -> bytes | None:
        """Return the bytes of a file; None if it is missing or unreadable."""
        try:
            return (self.location / name).read_bytes()
        except OSError:
            return None

    def sha256_of(self, name: str) -> str | None:
        """Return the SHA-256 of a file; None if it is missing or unreadable."""
        try:
            return describe(self.location / name).sha256
        except OSError:
            return None

    def names(self) -> list[str]:
        """List the files."""
        return sorted(path.name for path in self.location.glob("*"))

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        (self.location / name).unlink(missing_ok=True)


@dataclass(frozen=True)
class FolderOutputSet:
    """Files that are written beside the files that they replace; see `OutputSet`."""

    _folder: Path
    _publication: Publication

    def __enter__(self) -> Self:
        self._publication.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._publication.__exit__(kind, error, trace)

    def work_for(self, name: str) -> Path:
        """Return an empty file beside the file that it replaces."""
        return self._publication.temp_path_for(self._folder / name)

    def scratch(self, name: str) -> Path:
        """Return an empty file beside the others that is removed at the end."""
        return self._publication.scratch(self._folder / name)

    def explaining(self, name: str = "") -> AbstractContextManager[None]:
        """Turn an error while a file is written into one with a remedy."""
        return explaining(self._folder / name)

    def kept_in(self, label: str) -> str:  # noqa: ARG002 - for object stores
        """Return no prefix: files are exchanged within milliseconds, in the order of `work_for`."""
        return ""
