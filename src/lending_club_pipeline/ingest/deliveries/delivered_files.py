"""Identity of the files of a delivery: names, sizes, times of change and checksums."""

import json
import os
from collections.abc import Mapping
from typing import Final

from lending_club_pipeline.ingest.deliveries.delivery_folders import DeliveredFile, Delivery
from lending_club_pipeline.storage.inputs import sha256_of
from lending_club_pipeline.storage.object_paths import ObjectPath

# Factor by which compression shrinks extracts of numbers.
_COMPRESSED: Final = 4


def identify(delivery: Delivery) -> str:
    """Return a text that changes with the files of a delivery, without reading them.

    A replaced file is noticed even if its time of change was kept: the file system sets another
    time (`st_ctime`), and an object store another tag.

    Args:
        delivery: the delivery.

    Raises:
        OSError: a file is gone, or may not be looked at.
    """
    return json.dumps({name: it[:4] for name, it in _statuses(delivery).items()}, sort_keys=True)


def describe(delivery: Delivery, checksums: Mapping[str, str]) -> str:
    """Return the same text as `identify`, with the SHA-256 of each file.

    Args:
        delivery: the delivery.
        checksums: SHA-256 by name of the source file.

    Raises:
        OSError: a file is gone, or may not be looked at.
    """
    found = _statuses(delivery)
    return json.dumps({name: [*it, checksums[name]] for name, it in found.items()}, sort_keys=True)


def described_again(delivery: Delivery, described: str) -> str:
    """Describe files again whose content is unchanged and whose times of change differ.

    Args:
        delivery: the delivery.
        described: result of `describe` for the same files.

    Raises:
        OSError: a file is gone, or may not be looked at.
    """
    return describe(delivery, {name: it[4] for name, it in json.loads(described).items()})


def checksums_in(described: str) -> dict[str, tuple[str, str]]:
    """Return delivered name and SHA-256 by source file, from a result of `describe`."""
    known = json.loads(described) if described else {}
    return {name: (it[0], it[4]) for name, it in known.items()}


def looks_like(delivery: Delivery, described: str) -> bool:
    """Whether files look like the described ones, without reading them.

    Args:
        delivery: the delivery.
        described: result of `describe` for other files, or an empty text.

    Raises:
        OSError: a file is gone, or may not be looked at.
    """
    known = json.loads(described) if described else {}
    return {name: it[:4] for name, it in known.items()} == _statuses(delivery)


def are_the_same(delivery: Delivery, described: str) -> bool:
    """Whether files are the described ones, by SHA-256; files are read only if they may be.

    Args:
        delivery: the delivery.
        described: result of `describe` for other files, or an empty text.

    Raises:
        OSError: a file is gone, or may not be read.
    """
    known = json.loads(described) if described else {}
    found = _statuses(delivery)
    if {name: it[:2] for name, it in known.items()} != {name: it[:2] for name, it in found.items()}:
        return False
    return all(
        _is_vouched_for(it, known[it.source.name], found[it.source.name])
        or sha256_of(it.path) == known[it.source.name][4]
        for it in delivery.all_files
    )


def _is_vouched_for(file: DeliveredFile, known: list[str | int], found: list[str | int]) -> bool:
    """Whether an object store guarantees that an object is the same; a disk cannot."""
    return isinstance(file.path, ObjectPath) and known[:4] == found


def bytes_in(described: str) -> int:
    """Estimate the size of the text of described files, in bytes."""
    known = json.loads(described) if described else {}
    return sum(
        it[1] * (1 if it[0].lower().endswith(".csv") else _COMPRESSED) for it in known.values()
    )


def text_bytes(delivery: Delivery) -> int:
    """Estimate the size of a delivery's text, in bytes."""
    return sum(
        it.path.stat().st_size * (1 if it.compression == "none" else _COMPRESSED)
        for it in delivery.files
    )


def _statuses(delivery: Delivery) -> dict[str, list[str | int]]:
    """Return delivered name, size, and times of change of each file."""
    found: dict[str, list[str | int]] = {}
    for file in delivery.all_files:
        status = file.path.stat()
        replaced = status.st_ctime_ns if isinstance(status, os.stat_result) else status.tag
        found[file.source.name] = [
            file.path.name, status.st_size, status.st_mtime_ns, replaced
        ]  # fmt: skip
    return found
