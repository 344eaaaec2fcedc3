"""Removal of objects, and of old publications."""

import datetime as dt
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import obstore
from obstore.store import ObjectStore

from lending_club_pipeline.config import clock
from lending_club_pipeline.contract.errors import StorageError
from lending_club_pipeline.contract.locations import ObjectUrl
from lending_club_pipeline.storage.errors import explaining_store

# Younger ones may belong to a publication under way.
_KEPT: Final = dt.timedelta(days=1)

logger = logging.getLogger(__name__)


def remove(store: ObjectStore, url: ObjectUrl, keys: Sequence[str]) -> None:
    """Remove objects; it is no error if one is gone already.

    Another run, or a request whose answer was lost, may have removed it. Google's store then says
    that there is no such object, where the others say that it is removed.

    Args:
        store: client of the store.
        url: the object, or the prefix above them, for errors.
        keys: their names.

    Raises:
        StorageError: the store refuses, or is not there.
    """
    try:
        with explaining_store(url):
            obstore.delete(store, keys)
    except FileNotFoundError:
        for key in keys:
            with suppress(FileNotFoundError), explaining_store(url):
                obstore.delete(store, key)


def remove_old(store: ObjectStore, prefix: ObjectUrl, current: str, replaced: bytes) -> None:
    """Remove older publications, and the remains of failed ones.

    Args:
        store: client of the store.
        prefix: where publications are, each below its label.
        current: label of the current publication.
        replaced: the previous manifest, which a reader may just have read.
    """
    young = clock.now() - _KEPT
    try:
        with explaining_store(prefix):
            found = [
                (it["path"].removeprefix(f"{prefix.key}/").partition("/")[0], it)
                for page in obstore.list(store, prefix.key)
                for it in page
            ]
            kept = {current, *(label for label, it in found if it["last_modified"] > young)}
            kept |= {label for label, _ in found if f"/{label}/".encode() in replaced}
        if old := [it["path"] for label, it in found if label not in kept]:
            remove(store, prefix, old)
    except StorageError as error:
        # The publication is complete: leftovers only take space, and the next one tries again.
        logger.warning("Older publications could not be removed: %s", error)
