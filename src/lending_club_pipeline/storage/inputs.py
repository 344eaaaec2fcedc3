"""The inputs: one interface to find deliveries in folders and object stores, and to read them."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.storage.object_paths import ObjectPath

# A file or folder of a delivery: on this machine, or in an object store. Code that reads objects is
# imported only when needed, as the import takes a tenth of a second.
Readable: TypeAlias = Path | ObjectPath


def inputs_of(settings: DataPlatformConfig) -> Readable:
    """Return the folder in which deliveries arrive, in its current state.

    Objects are listed once, when the folder is first used; to list them again, call this again.

    Args:
        settings: the project's settings.

    Raises:
        ConfigurationError: the client of the store cannot be made.
    """
    return watched_inputs(settings, looks_often=False)()


def watched_inputs(
    settings: DataPlatformConfig, *, looks_often: bool = True
) -> Callable[[], Readable]:
    """Return a function that gives that folder in its state at each call.

    Args:
        settings: the project's settings.
        looks_often: not all objects are listed at each call, see `WatchedListing`.

    Raises:
        ConfigurationError: the client of the store cannot be made.
    """
    place = settings.deliveries.input_path
    if isinstance(place, Path):
        return lambda: place
    from lending_club_pipeline.storage.objects import watch  # noqa: PLC0415 - see above

    return watch(place, settings.objects, looks_often=looks_often)


def fetch(path: Readable, copy: Path) -> Path:
    """Return a file on this machine; an object is written to `copy` as it arrives.

    Raises:
        ChangedError: the object is no longer the listed one.
        FileNotFoundError: it is gone.
        StorageError: the store refuses, or is not there.
    """
    if isinstance(path, Path):
        return path
    from lending_club_pipeline.storage.objects import download  # noqa: PLC0415 - see above

    download(path, copy)
    return copy


def sha256_of(path: Readable) -> str:
    """Return the SHA-256 of a file as stored; an object is read but not kept.

    Raises:
        OSError: the file is gone, may not be read, or is no longer the listed one.
        StorageError: the store refuses, or is not there.
    """
    if isinstance(path, Path):
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    from lending_club_pipeline.storage.objects import stream  # noqa: PLC0415 - see above

    digest = hashlib.sha256()
    for chunk in stream(path):
        digest.update(chunk)
    return digest.hexdigest()


def is_as_listed(path: ObjectPath) -> bool:
    """Whether an object is still the listed one.

    Raises:
        StorageError: the store refuses, or is not there.
    """
    from lending_club_pipeline.storage.objects import is_current  # noqa: PLC0415 - see above

    return is_current(path)
