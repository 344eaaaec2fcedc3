"""Lists of the objects below a prefix: complete ones, and cheap ones for a sensor."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import obstore
from obstore.store import ObjectStore

from lending_club_pipeline.config import clock
from lending_club_pipeline.contract.locations import ObjectUrl
from lending_club_pipeline.storage.errors import explaining_store

if TYPE_CHECKING:
    from obstore import ObjectMeta

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
# Stores give a thousand names for each request.
_CHUNK: Final = 1000
WHOLE_EVERY: Final = dt.timedelta(minutes=15)
RECENT: Final = dt.timedelta(days=7)


@dataclass(frozen=True)
class WholeListing:
    """All objects below a prefix.

    Attributes:
        store: client of the store.
        url: the prefix.
    """

    store: ObjectStore
    url: ObjectUrl

    def objects(self, after: str | None = None) -> dict[str, "ObjectMeta"]:
        """List them.

        Args:
            after: only list keys after this one.

        Raises:
            StorageError: the store refuses, or is not there.
        """
        with explaining_store(self.url):
            pages = obstore.list(self.store, self.url.key or None, offset=after, chunk_size=_CHUNK)
            return {meta["path"]: meta for page in pages for meta in page}


@dataclass
class WatchedListing:
    """All objects below a prefix, cheap to list often: most come from the last complete list.

    In between, only the newest week and later names are listed, which takes one request: newer
    dates, and undated files, whose names come after all dates. New or replaced deliveries of older
    dates are seen with the next complete list.

    Attributes:
        whole: lists all objects.
    """

    whole: WholeListing
    _known: dict[str, "ObjectMeta"] = field(default_factory=dict)
    _listed_at: dt.datetime | None = None

    @property
    def store(self) -> ObjectStore:
        """Client of the store."""
        return self.whole.store

    def objects(self) -> Mapping[str, "ObjectMeta"]:
        """Return them.

        Raises:
            StorageError: the store refuses, or is not there.
        """
        now, after = clock.now(), self._behind_which_to_look()
        if after is None or self._listed_at is None or now - self._listed_at >= WHOLE_EVERY:
            self._known, self._listed_at = self.whole.objects(), now
        else:
            older = {key: meta for key, meta in self._known.items() if key <= after}
            self._known = older | self.whole.objects(after)
        return self._known

    def _behind_which_to_look(self) -> str | None:
        prefix = f"{self.whole.url.key}/".lstrip("/")
        names = (key.removeprefix(prefix).partition("/")[0] for key in self._known)
        dates = [name for name in names if _DATE.fullmatch(name)]
        if not dates:
            return None
        try:
            return f"{prefix}{dt.date.fromisoformat(max(dates)) - RECENT}"
        except (ValueError, OverflowError):
            # A folder whose name only looks like a date.
            return None
