"""Outputs in an object store.

An object is replaced as a whole, but five objects are replaced one after the other, in seconds.
So each publication is kept under its own prefix, where objects never change, and `manifest.json`,
which names that prefix, is replaced in one step, only if it has not changed since the publication
began. The fixed names are copies for readers who do not read the manifest.
"""

import mimetypes
import os
import shutil
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import obstore
from obstore.exceptions import AlreadyExistsError, PreconditionError
from obstore.store import ObjectStore

from lending_club_pipeline.contract.errors import OutputError
from lending_club_pipeline.contract.locations import ObjectUrl
from lending_club_pipeline.files.atomic import describe, explaining, is_abandoned
from lending_club_pipeline.files.processes import process_label
from lending_club_pipeline.storage.errors import explaining_store
from lending_club_pipeline.storage.removal import remove, remove_old

PUBLICATIONS: Final = "publications"
# Four parts of this size are in memory at a time; a store takes ten thousand of them.
_PART: Final = 8 * 2**20
_PARTS_AT_ONCE: Final = 4
_SHA256: Final = "sha256"
_WORK: Final = ".publishing-"
_SETTING: Final = "LANDING_PATH"
_TYPES: Final = {".parquet": "application/vnd.apache.parquet", ".csv": "text/csv; charset=utf-8"}


@dataclass(frozen=True)
class ObjectOutputs:
    """A prefix of published objects; see `Outputs`.

    Attributes:
        location: the prefix.
        store: client of the store.
        scratch: folder of this machine in which files are written before they are sent.
        storage_class: storage class of objects, or None.
    """

    location: ObjectUrl
    store: ObjectStore
    scratch: Path
    storage_class: str | None = None

    def publication(self, manifest: str = "") -> "ObjectOutputSet":
        """Begin to publish some files together."""
        return ObjectOutputSet(self, manifest)

    def read(self, name: str) -> bytes | None:
        """Return the bytes of an object; None if there is none.

        Raises:
            StorageError: the store refuses, or is not there.
        """
        url = self.location / name
        try:
            with explaining_store(url):
                return bytes(obstore.get(self.store, url.key).bytes())
        except FileNotFoundError:
            return None

    def sha256_of(self, name: str) -> str | None:
        """Return the SHA-256 in the metadata of an object; None if there is none.

        The store guarantees that the object is the uploaded one, so it is not read.

        Raises:
            StorageError: the store refuses, or is not there.
        """
        url = self.location / name
        try:
            with explaining_store(url):
                answer = obstore.get(self.store, url.key, options={"head": True})
        except FileNotFoundError:
            return None
        return answer.attributes.get(_SHA256)

    def names(self) -> list[str]:
        """List the objects right below the prefix."""
        with explaining_store(self.location):
            listed = obstore.list_with_delimiter(self.store, self.location.key or None)
        return sorted(meta["path"].rpartition("/")[2] for meta in listed["objects"])

    def remove(self, name: str) -> None:
        """Remove an object, if it is there."""
        url = self.location / name
        remove(self.store, url, [url.key])

    def send(self, file: Path, url: ObjectUrl, **condition: Any) -> None:  # noqa: ANN401 - obstore
        """Write an object; readers see all of it or nothing.

        Args:
            file: its content.
            url: its name.
            condition: obstore's `mode`.

        Raises:
            StorageError: the store refuses, or is not there.
            PreconditionError: as AlreadyExistsError, the condition does not hold.
        """
        attributes = {_SHA256: describe(file).sha256, "Content-Type": _type_of(url.name)}
        if self.storage_class:
            attributes["Storage-Class"] = self.storage_class
        with explaining_store(url):
            obstore.put(
                self.store,
                url.key,
                file,
                attributes=attributes,
                chunk_size=_PART,
                max_concurrency=_PARTS_AT_ONCE,
                **condition,
            )


@dataclass
class ObjectOutputSet:
    """Files that are written here and uploaded when all are complete; see `OutputSet`."""

    _outputs: ObjectOutputs
    _manifest: str = ""
    _works: dict[str, Path] = field(default_factory=dict)
    _label: str = ""
    _condition: Any = None
    _before: bytes = b""

    @property
    def _folder(self) -> Path:
        return self._outputs.scratch / f"{_WORK}{process_label()}"

    def __enter__(self) -> Self:
        with explaining(self._folder, _SETTING):
            _clear_abandoned(self._outputs.scratch)
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True, mode=0o700)
        if self._manifest:
            self._condition = _still_as_it_is(self._outputs, self._manifest)
            self._before = self._outputs.read(self._manifest) or b""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._publish()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def work_for(self, name: str) -> Path:
        """Return an empty file in a folder of this machine."""
        self._works[name] = self.scratch(name)
        return self._works[name]

    def scratch(self, name: str) -> Path:
        """Return an empty file in that folder."""
        work = self._folder / name
        with explaining(work, _SETTING):
            os.close(os.open(work, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
        return work

    def explaining(self, name: str = "") -> AbstractContextManager[None]:
        """Turn an error while a file is written into one with a remedy."""
        return explaining(self._folder / name, _SETTING)

    def kept_in(self, label: str) -> str:
        """Keep the files under a prefix of this label, too, which the manifest names."""
        self._label = label
        return f"{PUBLICATIONS}/{label}/"

    def _publish(self) -> None:
        base, manifest = self._outputs.location, self._works.pop(self._manifest, None)
        if manifest is not None:
            for name, work in self._works.items():
                self._outputs.send(work, base / PUBLICATIONS / self._label / name)
            self._commit(manifest, base / self._manifest)
        for name, work in self._works.items():
            self._outputs.send(work, base / name)
        if manifest is not None:
            remove_old(self._outputs.store, base / PUBLICATIONS, self._label, self._before)

    def _commit(self, manifest: Path, url: ObjectUrl) -> None:
        """Replace the manifest, unless another run has replaced it meanwhile."""
        try:
            self._outputs.send(manifest, url, mode=self._condition)
        except (PreconditionError, AlreadyExistsError):
            # The answer to a successful request may be lost, and the request retried.
            if self._outputs.read(self._manifest) != manifest.read_bytes():
                raise OutputError(
                    f"{url}: another run published there meanwhile, and nothing of this one was. "
                    "Run again; give each database an OUTPUT_PATH of its own."
                ) from None


def _still_as_it_is(outputs: ObjectOutputs, name: str) -> Any:  # noqa: ANN401 - obstore
    """Return the condition that an object stays as it is now, existing or missing."""
    url = outputs.location / name
    try:
        with explaining_store(url):
            meta = obstore.head(outputs.store, url.key)
    except FileNotFoundError:
        return "create"
    known = {"e_tag": meta["e_tag"], "version": meta["version"]}
    return {key: value for key, value in known.items() if value is not None}


def _type_of(name: str) -> str:
    given = _TYPES.get(Path(name).suffix)
    return given or mimetypes.guess_type(name)[0] or "application/octet-stream"


def _clear_abandoned(scratch: Path) -> None:
    for folder in scratch.glob(f"{_WORK}*"):
        with suppress(FileNotFoundError):
            if is_abandoned(folder, folder.name.removeprefix(_WORK)):
                shutil.rmtree(folder, ignore_errors=True)
