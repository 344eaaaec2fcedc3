"""The place of published files: one small interface for a folder and an object store.

The list of the output files is `publish/output_files.py`.
"""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, Self

from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.locations import Location
from lending_club_pipeline.files.sharing import Sharing
from lending_club_pipeline.storage.folder_outputs import FolderOutputs


class OutputSet(AbstractContextManager["OutputSet"], Protocol):
    """Files that are published together when the body succeeds: all of them, or none."""

    def __enter__(self) -> Self:
        """Begin."""

    def work_for(self, name: str) -> Path:
        """Return an empty file on this machine, whose content is published under a name.

        Raises:
            OutputError: the folder cannot be written or the disk is full.
        """

    def scratch(self, name: str) -> Path:
        """Return an empty file beside the others that is removed at the end.

        Raises:
            OutputError: the folder cannot be written or the disk is full.
        """

    def explaining(self, name: str = "") -> AbstractContextManager[None]:
        """Turn an error while a file is written into an OutputError with a remedy."""

    def kept_in(self, label: str) -> str:
        """Return the prefix of the files' paths in the manifest.

        Args:
            label: changes with their content.
        """


class Outputs(Protocol):
    """A place of published files."""

    @property
    def location(self) -> Location:
        """Its folder or prefix."""

    def publication(self, manifest: str = "") -> OutputSet:
        """Begin a publication of several files.

        Args:
            manifest: name of the manifest, which is written last; empty without one.

        Raises:
            OutputError: another run published there meanwhile, or a file cannot be written.
            StorageError: the object store refuses, or is not there.
        """

    def read(self, name: str) -> bytes | None:
        """Return the bytes of a small file; None if it is missing or unreadable."""

    def sha256_of(self, name: str) -> str | None:
        """Return the SHA-256 of a published file; None if it is missing or unreadable."""

    def names(self) -> list[str]:
        """List the published files."""

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""


def outputs_of(settings: DataPlatformConfig) -> Outputs:
    """Return the place of the published files.

    Args:
        settings: the project's settings.

    Raises:
        ConfigurationError: the client of an object store cannot be made.
    """
    url = settings.outputs.path
    if isinstance(url, Path):
        sharing = Sharing(settings.outputs.mode_bits, settings.outputs.group)
        return FolderOutputs(url.absolute(), sharing)
    from lending_club_pipeline.storage.object_outputs import (  # noqa: PLC0415 - see `inputs`
        ObjectOutputs,
    )
    from lending_club_pipeline.storage.stores import open_store  # noqa: PLC0415

    store = open_store(url, settings.objects)
    return ObjectOutputs(url, store, settings.landing, settings.objects.storage_class)
