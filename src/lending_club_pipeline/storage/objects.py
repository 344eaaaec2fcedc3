"""Read listed objects, and fail if an object of the same name replaced one."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import obstore
from obstore.exceptions import PreconditionError

from lending_club_pipeline.config.objects import ObjectSettings
from lending_club_pipeline.contract.errors import StorageError
from lending_club_pipeline.contract.locations import ObjectUrl
from lending_club_pipeline.storage.errors import explaining_store
from lending_club_pipeline.storage.listings import WatchedListing, WholeListing
from lending_club_pipeline.storage.object_paths import (
    ChangedError,
    ObjectPath,
    Root,
    path_of,
    status_of,
)
from lending_club_pipeline.storage.stores import open_store

_CHUNK: Final = 2**22
_MOST_RETRY_SECONDS: Final = 20.0


def watch(
    url: ObjectUrl, settings: ObjectSettings, *, looks_often: bool
) -> Callable[[], ObjectPath]:
    """Return a function that gives a prefix in its state at each call; see `watched_inputs`."""
    if looks_often:
        # Dagster gives a sensor a minute; the next tick is another try.
        most = min(settings.retry_seconds, _MOST_RETRY_SECONDS)
        settings = settings.model_copy(update={"retry_seconds": most})
    whole = WholeListing(open_store(url, settings), url)
    listing = WatchedListing(whole) if looks_often else whole
    return lambda: path_of(Root(url, listing))


def download(path: ObjectPath, copy: Path) -> None:
    """Write an object to a file as it arrives.

    Raises:
        ChangedError: it is no longer the listed one.
        FileNotFoundError: it is gone.
        StorageError: the store refuses, or is not there. An interrupted download
            is resumed before that.
    """
    with copy.open("wb") as file:
        for chunk in stream(path):
            file.write(chunk)


def stream(path: ObjectPath) -> Iterator[bytes]:
    """Yield an object's bytes; see `download`."""
    known, came = path.stat(), 0
    try:
        with explaining_store(path):
            answer = obstore.get(path.root.store, path.key, options={"if_match": f'"{known.tag}"'})
            for chunk in answer.stream(_CHUNK):
                came += len(chunk)
                yield bytes(chunk)
    except PreconditionError:
        raise ChangedError from None
    if came != known.st_size:
        raise StorageError(
            f"{path}: {came:,} of {known.st_size:,} bytes came. Check the network, and run again."
        )


def is_current(path: ObjectPath) -> bool:
    """Whether an object is still the listed one.

    Raises:
        StorageError: the store refuses, or is not there.
    """
    try:
        with explaining_store(path):
            found = status_of(obstore.head(path.root.store, path.key))
    except FileNotFoundError:
        return False
    # Lists and answers round times differently.
    known = path.stat()
    return (found.tag, found.st_size) == (known.tag, known.st_size)
