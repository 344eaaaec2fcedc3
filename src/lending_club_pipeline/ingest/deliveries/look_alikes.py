"""Files whose names are similar to a delivery's, with a remedy for each."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lending_club_pipeline.contract.source_files import SourceFile
from lending_club_pipeline.storage.inputs import Readable

_ARCHIVES: Final = (".zip", ".7z", ".bz2", ".xz", ".rar", ".tar", ".tgz")
_SUFFIXES: Final = ("", ".gz", ".zst")


def find_look_alike(folder: Readable, *sources: SourceFile) -> tuple[str, str] | None:
    """Return the name of a file that may be meant, and the remedy.

    Args:
        folder: where files are missing.
        sources: the missing files.
    """
    files = (path for path in folder.iterdir() if path.is_file())
    names = sorted(path.name for path in files if not path.name.startswith("."))
    found = (
        it for search in (misspelt, _others) for source in sources for it in search(names, source)
    )
    return next(found, None)


def misspelt(names: list[str], source: SourceFile) -> Iterator[tuple[str, str]]:
    """Yield the names that differ from a file's only in upper and lower case."""
    correct = [f"{source.name}{suffix}" for suffix in _SUFFIXES]
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
