"""The files of a delivery in its folder; a folder without a complete delivery is refused."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lending_club_pipeline.contract.errors import Place, RefusedDeliveryError
from lending_club_pipeline.contract.source_files import (
    CONTROL,
    SOURCE_FILES,
    SUFFIXES,
    Compression,
    SourceFile,
)
from lending_club_pipeline.storage.inputs import Readable

_ARCHIVES: Final = (".zip", ".7z", ".bz2", ".xz", ".rar", ".tar", ".tgz")


@dataclass(frozen=True)
class DeliveredFile:
    """One file of a delivery in its folder."""

    source: SourceFile
    path: Readable
    compression: Compression


@dataclass(frozen=True)
class Delivery:
    """A pair of files, each a full extract as of one business date.

    Attributes:
        as_of_date: the business date.
        folder: where the files are.
        files: the pair.
        control: the file of control totals beside them, or None.
    """

    as_of_date: dt.date
    folder: Readable
    files: tuple[DeliveredFile, ...]
    control: DeliveredFile | None = None

    @property
    def all_files(self) -> tuple[DeliveredFile, ...]:
        """The pair, and the control file if there is one."""
        return self.files if self.control is None else (*self.files, self.control)


def delivery_in(as_of_date: dt.date, folder: Readable) -> Delivery:
    """Return the delivery in a folder.

    Args:
        as_of_date: its business date.
        folder: the folder of its files.

    Raises:
        RefusedDeliveryError: the folder cannot be read, or a file is missing, misspelt or twice
            there.
    """
    refuse_if_no_folder(folder)
    files = tuple(_only_form(folder, it) for it in SOURCE_FILES)
    has_control = any(True for _ in _forms(folder, CONTROL))
    control = _only_form(folder, CONTROL) if has_control else None
    if control is None:
        _refuse_misspelt_control(folder)
    return Delivery(as_of_date, folder, files, control)


def has_files(folder: Readable) -> bool:
    """Whether a folder holds a file of a delivery."""
    return any(True for source in SOURCE_FILES for _ in _forms(folder, source))


def names_of_files() -> set[str]:
    """Return the names that files of a delivery may have."""
    sources = (*SOURCE_FILES, CONTROL)
    return {f"{source.name}{suffix}" for source in sources for suffix in SUFFIXES.values()}


def _forms(folder: Readable, source: SourceFile) -> Iterator[DeliveredFile]:
    for compression, suffix in SUFFIXES.items():
        path = folder / f"{source.name}{suffix}"
        if path.exists() or path.is_symlink():
            yield DeliveredFile(source, path, compression)


def _only_form(folder: Readable, source: SourceFile) -> DeliveredFile:
    forms = list(_forms(folder, source))
    if not forms:
        remedy = f"Put {source.name} (or .csv.gz, .csv.zst) there and run again"
        seen, remedy = look_alikes(folder, remedy, source)
        raise RefusedDeliveryError(
            "file_missing",
            Place(folder / source.name),
            f"the delivery has no {source.name}{seen}",
            remedy,
        )
    if len(forms) > 1:
        names = " and ".join(form.path.name for form in forms)
        raise RefusedDeliveryError(
            "file_in_several_forms",
            Place(folder),
            f"it holds {names}, and it is not clear which one counts",
            "Leave only one of them",
        )
    return forms[0]


def _refuse_misspelt_control(folder: Readable) -> None:
    """Refuse a misspelt control file, which would otherwise be ignored silently."""
    for name, remedy in _misspelt([path.name for path in folder.iterdir()], CONTROL):
        raise RefusedDeliveryError(
            "file_misspelt",
            Place(folder / name),
            f"this name is not {CONTROL.name}, so that nothing would be compared with its totals",
            remedy,
        )


def refuse_if_no_folder(folder: Readable) -> None:
    """Refuse a folder that is missing, is a file, or may not be read.

    Raises:
        RefusedDeliveryError: it is.
    """
    try:
        exists, is_folder = folder.exists(), folder.is_dir()
        if is_folder:
            next(folder.iterdir(), None)
            # Without the right to search the folder, only its names can be listed.
            (folder / SOURCE_FILES[0].name).is_symlink()
    except PermissionError:
        raise RefusedDeliveryError(
            "folder_unreadable",
            Place(folder),
            "this folder may not be read",
            "Give the user who runs the pipeline the right to list and search it",
        ) from None
    if not exists:
        raise RefusedDeliveryError(
            "folder_missing",
            Place(folder),
            "this folder does not exist",
            "Create it and put the delivery there, or name another one by --inputs or INPUT_PATH",
        )
    if not is_folder:
        raise RefusedDeliveryError(
            "not_a_folder",
            Place(folder),
            "this is a file, not a folder",
            "Name the folder that holds Customer.csv and accounts.csv",
        )


def look_alikes(folder: Readable, remedy: str, *sources: SourceFile) -> tuple[str, str]:
    """Describe a file with a similar name, to add to a problem; return the remedy, too.

    Args:
        folder: where files are missing.
        remedy: the remedy if there is no such file.
        sources: the missing files.
    """
    found = _find_look_alike(folder, *sources)
    return ("", remedy) if found is None else (f", but {found[0]}", found[1])


def _find_look_alike(folder: Readable, *sources: SourceFile) -> tuple[str, str] | None:
    """Return the name of a file that may be meant, and the remedy.

    Args:
        folder: where files are missing.
        sources: the missing files.
    """
    files = (path for path in folder.iterdir() if path.is_file())
    names = sorted(path.name for path in files if not path.name.startswith("."))
    found = (
        it for search in (_misspelt, _others) for source in sources for it in search(names, source)
    )
    return next(found, None)


def _misspelt(names: list[str], source: SourceFile) -> Iterator[tuple[str, str]]:
    """Yield the names that differ from a file's only in upper and lower case."""
    correct = [f"{source.name}{suffix}" for suffix in SUFFIXES.values()]
    wanted = {name.casefold(): name for name in correct}
    for name in names:
        meant = wanted.get(name.casefold(), name)
        if meant != name:
            yield name, f"Rename {name} to {meant}: upper and lower case count"


def _others(names: list[str], source: SourceFile) -> Iterator[tuple[str, str]]:
    stem = Path(source.name).stem.casefold()
    for name in names:
        if name.casefold().startswith(stem):
            if name.casefold().endswith(_ARCHIVES):
                yield name, f"Unpack {name}, and put {source.name} (or .csv.gz, .csv.zst) there"
            else:
                yield name, f"Rename {name} to {source.name} if it is that file"
