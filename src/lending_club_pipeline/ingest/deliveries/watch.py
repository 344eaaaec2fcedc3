"""Tell which deliveries are new or changed since somebody looked last."""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lending_club_pipeline.contract.errors import RefusedDeliveryError
from lending_club_pipeline.ingest.csv.byte_counts import sha256_of
from lending_club_pipeline.ingest.deliveries.discovery import Delivery, dated_folders, find_delivery


@dataclass(frozen=True)
class WatchedDelivery:
    """A delivery that lies complete and at rest in the inputs.

    Attributes:
        as_of_date: its business date.
        key: text that is the same for as long as the delivery is: its folder and the SHA-256 of
            its files, control totals included. Undated files keep their key on the days after.
    """

    as_of_date: dt.date
    key: str


@dataclass(frozen=True)
class Watch:
    """What was found, and what to remember until the next look.

    Attributes:
        deliveries: all that are complete and at rest, oldest first.
        memory: checksums by file, size and time of change, as text.
        waiting: what is not taken yet, and why, for people.
    """

    deliveries: tuple[WatchedDelivery, ...]
    memory: str
    waiting: tuple[str, ...]


def look(inputs: Path, memory: str | None, now: dt.datetime, settle_seconds: float) -> Watch:
    """Look for deliveries; files that did not change since the last look are not read again.

    Args:
        inputs: the folder in which deliveries arrive.
        memory: `Watch.memory` of the last look, or None.
        now: the current time, with time zone.
        settle_seconds: age that a file must have to be taken: younger ones may still be written.
    """
    checksums = _Checksums(json.loads(memory) if memory else {})
    deliveries: list[WatchedDelivery] = []
    waiting: list[str] = []
    for as_of_date, name in _candidates(inputs, now.astimezone(dt.UTC).date()):
        try:
            found = find_delivery(inputs, as_of_date, now.astimezone(dt.UTC).date())
            youngest = max(file.path.stat().st_mtime for file in found.all_files)
            if now.timestamp() - youngest < settle_seconds:
                waiting.append(f"{name or found.folder}: a file changed a moment ago")
                continue
            deliveries.append(WatchedDelivery(as_of_date, _key(name, found, checksums)))
        except (RefusedDeliveryError, OSError) as error:
            waiting.append(str(error))
    return Watch(tuple(deliveries), json.dumps(checksums.used), tuple(waiting))


def _candidates(inputs: Path, today: dt.date) -> Iterator[tuple[dt.date, str]]:
    """Dated folders that may be processed, then undated files, which are today's."""
    dates = dated_folders(inputs) if inputs.is_dir() else []
    for date in dates:
        if date <= today:
            yield date, date.isoformat()
    if today not in dates and any(inputs.glob("*.csv*")):
        yield today, ""


def _key(name: str, delivery: Delivery, checksums: "_Checksums") -> str:
    parts = [f"{file.path.name}={checksums.of(file.path)[:16]}" for file in delivery.all_files]
    return " ".join([name or "undated", *parts])


class _Checksums:
    """SHA-256 of files, taken again only when size or time of change differ."""

    def __init__(self, known: dict[str, str]) -> None:
        self._known = known
        self.used: dict[str, str] = {}

    def of(self, path: Path) -> str:
        status = path.stat()
        identity = f"{path}|{status.st_size}|{status.st_mtime_ns}"
        checksum = self._known.get(identity) or sha256_of(path)
        self.used[identity] = checksum
        return checksum
