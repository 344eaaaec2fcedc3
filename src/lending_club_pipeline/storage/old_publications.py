"""Removal of old publications in an object store."""

import datetime as dt
import logging
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
            old = [it["path"] for label, it in found if label not in kept]
            if old:
                obstore.delete(store, old)
    except StorageError as error:
        # The publication is complete: leftovers only take space, and the next one tries again.
        logger.warning("Older publications could not be removed: %s", error)
