"""Objects with the interface of paths: folders, names, sizes and times, from one list."""

import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol, Self

from lending_club_pipeline.contract.locations import ObjectUrl

if TYPE_CHECKING:
    # Importing it takes a tenth of a second; runs on folders do not need it.
    from obstore import ObjectMeta
    from obstore.store import ObjectStore

_NANOSECONDS: Final = 10**9


class ChangedError(OSError):
    """An object is no longer the listed one."""


@dataclass(frozen=True)
class ObjectStatus:
    """Status of an object, with the attribute names of `os.stat_result`.

    Attributes:
        st_size: bytes.
        st_mtime: when it was written, in seconds since 1970, by the store's clock.
        st_mode: whether it is a file or a folder.
        tag: its ETag, which changes with the content.
    """

    st_size: int
    st_mtime: float
    st_mode: int
    tag: str

    @property
    def st_mtime_ns(self) -> int:
        """When it was written, in nanoseconds."""
        return round(self.st_mtime * _NANOSECONDS)

    @property
    def st_ctime(self) -> float:
        """When it was written: a store takes no other time from a sender."""
        return self.st_mtime


_FOLDER: Final = ObjectStatus(0, 0.0, stat.S_IFDIR, "")


def status_of(meta: "ObjectMeta") -> ObjectStatus:
    """Return the status of an object from a list or an answer."""
    changed = meta["last_modified"].timestamp()
    # Azure writes its tags with quotes in some places and without them in others.
    tag = (meta["e_tag"] or "").strip('"')
    return ObjectStatus(meta["size"], changed, stat.S_IFREG | 0o400, tag)


class Listing(Protocol):
    """Gives all objects below a prefix, by key."""

    @property
    def store(self) -> "ObjectStore":
        """Client of the store that holds them."""

    def objects(self) -> Mapping[str, "ObjectMeta"]:
        """Return them; asked for once."""


@dataclass(frozen=True)
class Tree:
    """Folders, made from the keys of objects.

    Attributes:
        statuses: by key; folders, too.
        names: by the key of a folder, the names in it.
    """

    statuses: dict[str, ObjectStatus] = field(default_factory=dict)
    names: dict[str, set[str]] = field(default_factory=dict)

    def add(self, key: str, status: ObjectStatus, root: str) -> None:
        """Add an object, and the folders above it."""
        # Consoles mark an empty folder by an object without a byte.
        is_marker = status.st_size == 0 and "." not in key.rpartition("/")[2]
        known = self.statuses.get(key)
        self.statuses[key] = _FOLDER if is_marker or known is _FOLDER else status
        while key != root:
            parent, _, name = key.rpartition("/")
            self.names.setdefault(parent, set()).add(name)
            if parent != root:
                self.statuses[parent] = _FOLDER
            key = parent


class Root:
    """A prefix, and the list of its objects when it was first used."""

    def __init__(self, url: ObjectUrl, listing: Listing) -> None:
        self.url = url
        self._listing = listing

    @property
    def store(self) -> "ObjectStore":
        """Client of the store."""
        return self._listing.store

    @cached_property
    def tree(self) -> Tree:
        """The folders below the prefix."""
        tree = Tree({self.url.key: _FOLDER})
        for key, meta in self._listing.objects().items():
            if key != self.url.key:
                tree.add(key, status_of(meta), self.url.key)
        return tree


@dataclass(frozen=True, eq=False)
class ObjectPath(ObjectUrl):
    """An object or a folder of objects in one list.

    It has the methods of `pathlib.Path` that find deliveries, so that the same code works on
    folders. All paths of a delivery share one list, and so one moment.

    Attributes:
        root: the list.
    """

    root: Root = field(kw_only=True)

    def exists(self) -> bool:
        """Whether it is an object or a folder."""
        return self.key in self.root.tree.statuses

    def is_dir(self) -> bool:
        """Whether it is a folder."""
        return self.exists() and stat.S_ISDIR(self.stat().st_mode)

    def is_file(self) -> bool:
        """Whether it is an object."""
        return self.exists() and stat.S_ISREG(self.stat().st_mode)

    def is_symlink(self) -> bool:
        """Object stores have no links."""
        return False

    def iterdir(self) -> Iterator[Self]:
        """Yield the content of the folder, by name."""
        for name in sorted(self.root.tree.names.get(self.key, ())):
            yield self / name

    def stat(self) -> ObjectStatus:
        """Return its status from the list.

        Raises:
            FileNotFoundError: there is no such object.
        """
        try:
            return self.root.tree.statuses[self.key]
        except KeyError:
            raise FileNotFoundError(2, "No such object", str(self)) from None

    def _named(self, key: str) -> Self:
        return type(self)(self.scheme, self.container, key, root=self.root)


def path_of(root: Root) -> ObjectPath:
    """Return the prefix of a root as a folder."""
    return ObjectPath(root.url.scheme, root.url.container, root.url.key, root=root)
