"""Paths and permission bits in settings. Every name is allowed that the engines can use."""

import os
import re
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, PlainValidator

from lending_club_pipeline.contract.locations import Location, ObjectUrl, parse_location

# dbt takes the name of the database from its path as from a URL, and quotes it unescaped.
_NOT_IN_DATABASE: Final = re.compile(r'["#;\x00-\x1f]')
_RESERVED: Final = {"", "main", "system", "temp"}
# DuckDB and the pipeline add files beside it whose names begin with its name.
_LONGEST_NAME_BYTES: Final = 240
# Dagster adds `history/runs/<run id>.db` below it, and SQLite adds `-journal` to that.
_LONGEST_HISTORY_BYTES: Final = 512 - 72
_OWNER_READS_AND_WRITES: Final = 0o600


def _is_unicode(path: Path) -> Path:
    try:
        str(path.absolute()).encode()
    except UnicodeEncodeError:
        raise ValueError("its name is not valid UTF-8; rename it, or name another one") from None
    return path


def _is_kept_in_views(path: Path) -> Path:
    if "\\" in str(path.absolute()):
        raise ValueError("DuckDB takes a backslash in it for a slash; rename it or name another")
    return path


def _is_database(path: Path) -> Path:
    name = path.absolute().name
    if "?" in f"{path.absolute()}{os.path.realpath(path)}":
        raise ValueError("DuckDB cannot keep its log where a path holds a ?; name another place")
    if _NOT_IN_DATABASE.search(name):
        raise ValueError(
            'dbt names the database after this file, whose name may not hold " # ; or a control '
            "character; rename the file"
        )
    if name.lstrip(".").partition(".")[0].lower() in _RESERVED:
        raise ValueError("DuckDB keeps this name for itself; name the file in another way")
    if len(name.encode()) > _LONGEST_NAME_BYTES:
        raise ValueError(f"the name of the file has more than {_LONGEST_NAME_BYTES} bytes")
    return path


def _is_history(path: Path) -> Path:
    if len(os.fsencode(os.path.realpath(path))) > _LONGEST_HISTORY_BYTES:
        raise ValueError(
            f"SQLite takes paths of 512 bytes, so that this one may have {_LONGEST_HISTORY_BYTES}; "
            "name a shorter one"
        )
    return path


def _parse_location(value: object) -> Location:
    if isinstance(value, ObjectUrl):
        return value
    location = parse_location(str(value))
    return location if isinstance(location, ObjectUrl) else _is_unicode(location)


# A folder, or a prefix of an object store.
AnyLocation = Annotated[Location, PlainValidator(_parse_location)]
AnyPath = Annotated[Path, AfterValidator(_is_unicode)]
LandingFolder = Annotated[AnyPath, AfterValidator(_is_kept_in_views)]
DatabaseFile = Annotated[LandingFolder, AfterValidator(_is_database)]
HistoryFolder = Annotated[AnyPath, AfterValidator(_is_history)]


def parse_mode(text: str) -> int:
    """Parse permission bits in octal digits, as `chmod` takes them, such as 0640.

    Raises:
        ValueError: they are not octal digits, or not allowed for published files.
    """
    if not text.isascii() or not text.isdigit() or len(text) not in (3, 4):
        raise ValueError("write octal digits, such as 0640")
    try:
        mode = int(text, 8)
    except ValueError:
        raise ValueError("write octal digits, such as 0640") from None
    if mode & ~0o664 or mode & _OWNER_READS_AND_WRITES != _OWNER_READS_AND_WRITES:
        raise ValueError(
            "must let its owner read and write, and may let the group read or write and others read"
        )
    return mode
