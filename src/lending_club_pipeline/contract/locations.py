"""Locations of deliveries and outputs: a folder of this machine, or a prefix of an object store."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, TypeAlias

SCHEMES: Final = ("s3", "abfss", "az", "gs")
_CONTAINER: Final = re.compile(r"[A-Za-z0-9._-]+")
_ON_ACCOUNT: Final = re.compile(r"[A-Za-z0-9$_-]+@[a-z0-9]+(\.[A-Za-z0-9-]+)+")
_SHOWN: Final = "s3://bucket/prefix, abfss://container@account.dfs.core.windows.net/path, "


@dataclass(frozen=True, eq=False)
class ObjectUrl:
    """The name of an object or prefix; no request is sent.

    It has the methods of `pathlib.Path` that need no disk.

    Attributes:
        scheme: one of `SCHEMES`.
        container: the bucket, or the container and its account, as the URL has it.
        key: name in it, without a slash at its ends.
    """

    scheme: str
    container: str
    key: str = ""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.container}/{self.key}".rstrip("/")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ObjectUrl) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __truediv__(self, name: str) -> Self:
        return self._named(f"{self.key}/{name}".strip("/"))

    @property
    def name(self) -> str:
        """The last part of its key."""
        return self.key.rpartition("/")[2]

    def with_name(self, name: str) -> Self:
        """Return the object with another name in the same place."""
        return self._named(f"{self.key.rpartition('/')[0]}/{name}".strip("/"))

    def absolute(self) -> Self:
        """Return itself: it does not depend on the working folder."""
        return self

    def _named(self, key: str) -> Self:
        return type(self)(self.scheme, self.container, key)


Location: TypeAlias = Path | ObjectUrl


def parse_location(text: str) -> Location:
    """Parse the path of a folder, or the URL of a prefix in an object store.

    Raises:
        ValueError: it looks like a URL, but its form is not supported.
    """
    scheme, separator, rest = text.partition("://")
    if not separator:
        return Path(text)
    container, _, key = rest.partition("/")
    pattern = _ON_ACCOUNT if scheme == "abfss" else _CONTAINER
    parts = key.strip("/").split("/")
    if scheme not in SCHEMES or not pattern.fullmatch(container) or not _are_names(parts):
        raise ValueError(
            f"write a folder, or {_SHOWN}az://container/path or gs://bucket/prefix; no part of "
            "its path may be empty, . or .., or hold ? or #"
        )
    return ObjectUrl(scheme, container, "/".join(parts))


def _are_names(parts: list[str]) -> bool:
    wrong = {".", "..", *([] if parts == [""] else [""])}
    return not wrong & set(parts) and not any(re.search(r"[?#\x00-\x1f]", it) for it in parts)
