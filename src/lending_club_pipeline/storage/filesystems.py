"""File systems of fsspec, for libraries that use them."""

import atexit
from functools import cache
from typing import Any

import fsspec
from fsspec.asyn import get_loop, iothread

from lending_club_pipeline.config.objects import ObjectSettings
from lending_club_pipeline.contract.locations import SCHEMES, ObjectUrl, parse_location


def filesystem_of(url: str, settings: ObjectSettings) -> tuple[Any, str]:
    """Return the file system of a URL, and the path of the URL in it.

    Args:
        url: URL of an object store, which uses the same client as deliveries and outputs, or any
            other URL that fsspec knows.
        settings: how to reach object stores.

    Raises:
        ConfigurationError: the client of an object store cannot be made.
    """
    if url.partition("://")[0] not in SCHEMES:
        known: tuple[Any, str] = fsspec.url_to_fs(url)
        return known
    from obstore.fsspec import FsspecStore  # noqa: PLC0415 - see `inputs`

    from lending_club_pipeline.storage.stores import client_arguments  # noqa: PLC0415

    place = parse_location(url)
    assert isinstance(place, ObjectUrl)  # noqa: S101 - narrows the type
    _end_with_this_process()
    # Its overloads expect the scheme and the configuration of one store.
    made: Any = FsspecStore
    system = made(place.scheme, **client_arguments(place, settings))
    return system, f"{place.container}/{place.key}"


@cache
def _end_with_this_process() -> None:
    """Stop the thread of fsspec before Python unloads modules, which the thread keeps alive."""
    atexit.register(_stop)


def _stop() -> None:
    loop = get_loop()
    loop.call_soon_threadsafe(loop.stop)
    for thread in iothread:
        if thread is not None:
            thread.join(timeout=1)
