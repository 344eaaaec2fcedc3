"""What a server of Google's Cloud Storage holds: objects by their generation, and begun uploads."""

import base64
import datetime as dt
import hashlib
import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey


class ProblemError(Exception):
    """An answer that tells of a problem."""

    def __init__(self, status: int, code: str, said: str = "") -> None:
        super().__init__(code)
        self.status, self.code, self.said = status, code, said


@dataclass(frozen=True)
class Stored:
    """One generation of an object."""

    body: bytes
    generation: int
    etag: str
    written: dt.datetime
    headers: dict[str, str]

    @property
    def encoding(self) -> str:
        return self.headers.get("content-encoding", "")


@dataclass
class Upload:
    """An upload in parts that is not complete."""

    key: str
    headers: dict[str, str]
    parts: dict[int, bytes] = field(default_factory=dict)


@dataclass
class Storage:
    """What the server holds, and whom it lets in.

    Attributes:
        accounts: by the id of its key, a service account and its public key.
        tokens: what the metadata service has given.
        seconds_between_writes: how long an object may not be written again.
        kms_key: key of the buckets; with one, ETags are not made from the content.
    """

    objects: dict[str, dict[str, Stored]] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    accounts: dict[str, tuple[str, RSAPublicKey]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    seconds_between_writes: float = 0.0
    kms_key: str | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    _generations: Iterator[int] = field(
        default_factory=lambda: itertools.count(time.time_ns() // 1000)
    )

    def bucket(self, name: str) -> dict[str, Stored]:
        if name not in self.objects:
            raise ProblemError(404, "NoSuchBucket", "The specified bucket does not exist.")
        return self.objects[name]

    def write(self, name: str, key: str, body: bytes, headers: dict[str, str]) -> Stored:
        """Write an object from one request."""
        etag = None if self.kms_key else f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
        return self.write_tagged(name, key, body, headers, etag)

    def write_tagged(
        self, name: str, key: str, body: bytes, headers: dict[str, str], etag: str | None
    ) -> Stored:
        known, now = self.bucket(name).get(key), dt.datetime.now(dt.UTC)
        if known and (now - known.written).total_seconds() < self.seconds_between_writes:
            raise ProblemError(429, "SlowDown", "The object exceeded the rate limit for mutations.")
        generation = next(self._generations)
        own = f'"-{base64.b64encode(str(generation).encode()).decode()}"'
        stored = Stored(body, generation, etag or own, now, headers)
        self.bucket(name)[key] = stored
        return stored
