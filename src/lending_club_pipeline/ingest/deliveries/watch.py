"""Find deliveries that may be processed: complete, no longer changing, and of an allowed date.

Only names, sizes and times of files are read, so a look takes milliseconds.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from lending_club_pipeline.config.clock import Today
from lending_club_pipeline.contract.errors import RefusedDeliveryError
from lending_club_pipeline.ingest.deliveries.delivered_files import identify
from lending_club_pipeline.ingest.deliveries.delivery_folders import Delivery
from lending_club_pipeline.ingest.deliveries.discovery import dated_folders, find_dated
from lending_club_pipeline.storage.inputs import Readable


@dataclass(frozen=True)
class Watch:
    """The deliveries in the inputs.

    Attributes:
        deliveries: complete deliveries that no longer change, by date.
        identities: identities of their files, by date.
        waiting: deliveries that are not taken, with the reason, for people.
        pending: dates whose delivery is incomplete, or still changes.
        is_there: whether the folder of deliveries exists.
    """

    deliveries: dict[dt.date, Delivery]
    identities: dict[dt.date, str]
    waiting: tuple[str, ...]
    pending: frozenset[dt.date]
    is_there: bool

    @property
    def digest(self) -> str:
        """A text that changes when another delivery may be taken."""
        listed = "".join(f"{date}{it}\n" for date, it in sorted(self.identities.items()))
        return hashlib.sha256(listed.encode()).hexdigest()[:16]


def look(
    inputs: Readable, first: dt.date, today: Today, now: dt.datetime, settle_seconds: float
) -> Watch:
    """Look for deliveries; a broken delivery does not stop the others.

    Args:
        inputs: the folder in which deliveries arrive.
        first: the first business date that is accepted.
        today: the current business date.
        now: the current time, with time zone.
        settle_seconds: age that a file must have; younger files may still be written.
    """
    deliveries: dict[dt.date, Delivery] = {}
    identities: dict[dt.date, str] = {}
    waiting: list[str] = []
    pending: set[dt.date] = set()
    for date in _candidates(inputs, today.date):
        if not first <= date <= today.date:
            bound = f"before FIRST_AS_OF_DATE={first}" if date < first else f"after today, {today}"
            waiting.append(f"{inputs / date.isoformat()}: its date lies {bound}")
            continue
        try:
            found = find_dated(inputs, date, today)
            if found is None:
                continue
            age = now.timestamp() - max(_changed_at(it.path, now) for it in found.all_files)
            if age < settle_seconds:
                waiting.append(f"{found.folder}: a file changed {max(age, 0):.0f} s ago")
                pending.add(date)
                continue
            identities[date] = identify(found)
            deliveries[date] = found
        except (RefusedDeliveryError, OSError) as error:
            waiting.append(str(error))
            pending.add(date)
    return Watch(deliveries, identities, tuple(waiting), frozenset(pending), inputs.is_dir())


def _candidates(inputs: Readable, today: dt.date) -> Iterator[dt.date]:
    """Yield the dates of folders, and today for undated files."""
    dates = dated_folders(inputs) if inputs.is_dir() else []
    yield from dates
    if today not in dates:
        yield today


def _changed_at(path: Readable, now: dt.datetime) -> float:
    """Return when a file changed; a time in the future is ignored."""
    status = path.stat()
    is_believable = status.st_mtime <= now.timestamp()
    return status.st_mtime if is_believable else status.st_ctime
