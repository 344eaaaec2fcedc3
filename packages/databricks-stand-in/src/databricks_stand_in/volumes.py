"""Unity Catalog volumes: folders, and the files that PUT, GET and REMOVE move over HTTPS.

https://docs.databricks.com/sql/language-manual/sql-ref-syntax-aux-put-into.html
"""

import secrets
import shutil
import threading
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path, PurePosixPath
from typing import Final

from databricks_stand_in.errors import StatementError, no_such_catalog

_CHUNK: Final = 2**20


@dataclass(frozen=True)
class Transfer:
    """A file operation that a client was invited to do.

    Attributes:
        operation: PUT, GET or REMOVE.
        file: where the file lies on this machine.
    """

    operation: str
    file: Path


class Volumes:
    """The volumes of a catalog.

    Args:
        root: folder that stands for `/Volumes`.
        catalog: the only catalog.
    """

    def __init__(self, root: Path, catalog: str) -> None:
        self._root, self._catalog = root, catalog
        self._invitations: dict[str, Transfer] = {}
        self._comments: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()

    def folder(self, schema: str, volume: str) -> Path:
        """Return the folder of a volume."""
        return self._root / self._catalog / schema.lower() / volume.lower()

    def names(self, schema: str) -> list[str]:
        """Return the names of a schema's volumes."""
        parent = self._root / self._catalog / schema.lower()
        return sorted(folder.name for folder in parent.iterdir()) if parent.exists() else []

    def comment(self, schema: str, volume: str) -> str | None:
        """Return the comment of a volume."""
        return self._comments.get((schema, volume))

    def create(self, schema: str, volume: str, comment: str | None, *, if_missing: bool) -> None:
        """Make a volume."""
        folder = self.folder(schema, volume)
        if folder.exists() and not if_missing:
            text = f"Cannot create volume `{schema}`.`{volume}` because it already exists."
            raise StatementError("VOLUME_ALREADY_EXISTS", "42000", text)
        folder.mkdir(parents=True, exist_ok=True)
        if comment is not None:
            self._comments[schema, volume] = comment

    def drop(self, schema: str, volume: str, *, if_there: bool) -> None:
        """Remove a volume with its files."""
        if self.require(schema, volume, optional=if_there):
            shutil.rmtree(self.folder(schema, volume))
            self._comments.pop((schema, volume), None)

    def drop_schema(self, schema: str) -> None:
        """Remove all volumes of a schema."""
        shutil.rmtree(self._root / self._catalog / schema.lower(), ignore_errors=True)

    def require(self, schema: str, volume: str, *, optional: bool = False) -> bool:
        """Say whether a volume is there.

        Raises:
            StatementError: it is not, and it is not optional.
        """
        if self.folder(schema, volume).is_dir():
            return True
        if optional:
            return False
        text = f"The volume `{self._catalog}`.`{schema}`.`{volume}` does not exist."
        raise StatementError("VOLUME_NOT_FOUND", "42704", text)

    def file(self, path: str) -> Path:
        """Return where a path of a volume lies on this machine."""
        parts = PurePosixPath(path.removeprefix("dbfs:")).parts
        if len(parts) < 5 or parts[:2] != ("/", "Volumes") or ".." in parts:
            text = f"The path {path} must be /Volumes/<catalog>/<schema>/<volume>/<path>."
            raise StatementError("INVALID_PARAMETER_VALUE", "22023", text)
        if parts[2].lower() != self._catalog:
            raise no_such_catalog(parts[2])
        self.require(parts[3], parts[4])
        return self.folder(parts[3], parts[4]).joinpath(*parts[5:])

    def existing(self, path: str) -> Path:
        """Return where a file of a volume lies; it must be there."""
        file = self.file(path)
        if not file.exists():
            raise StatementError("PATH_NOT_FOUND", "42K03", f"Path does not exist: dbfs:{path}.")
        return file

    def invite(self, operation: str, path: str, *, overwrite: bool = False) -> str:
        """Allow one operation and return the secret that goes into its address."""
        file = self.file(path) if operation == "PUT" else self.existing(path)
        if operation == "PUT" and file.exists() and not overwrite:
            text = f"The file {path} already exists. Use PUT … INTO … OVERWRITE to replace it."
            raise StatementError("FILE_ALREADY_EXISTS", "42000", text)
        secret = secrets.token_urlsafe(24)
        with self._lock:
            self._invitations[secret] = Transfer(operation, file)
        return secret

    def accept(self, secret: str, operation: str) -> Path | None:
        """Return the file of an invitation, or nothing if there is none of this kind."""
        with self._lock:
            transfer = self._invitations.get(secret)
        return transfer.file if transfer and transfer.operation == operation else None


def receive(source: BufferedIOBase, length: int, file: Path) -> None:
    """Store a file that arrives; readers see the old one or the whole new one.

    Raises:
        ConnectionError: fewer bytes came than were announced.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    arriving = file.with_name(f".{file.name}.{secrets.token_hex(4)}.arriving")
    try:
        with arriving.open("wb") as target:
            while length and (chunk := source.read(min(length, _CHUNK))):
                target.write(chunk)
                length -= len(chunk)
        if length:
            raise ConnectionError(f"{length} bytes are missing")
        arriving.replace(file)
    finally:
        arriving.unlink(missing_ok=True)
