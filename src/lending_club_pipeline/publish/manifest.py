"""`manifest.json`: what was published together, written last of all.

A reader that wants a consistent set reads it first and compares the checksums.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from lending_club_pipeline.files.atomic import WrittenFile, describe

FILE_NAME: Final = "manifest.json"
_VERSIONS: Final = ("lending-club-pipeline", "dbt-core", "duckdb")


def digest_of(files: Iterable[tuple[str, str]]) -> str:
    """Return one checksum for a set of files.

    Args:
        files: name and SHA-256 of each.
    """
    listed = "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(files))
    return hashlib.sha256(listed.encode()).hexdigest()


def render_manifest(as_of_date: dt.date, run_id: str, files: Iterable[WrittenFile]) -> str:
    """Return the text of a manifest.

    Args:
        as_of_date: business date of the delivery that is published.
        run_id: Dagster's id of the run that publishes it.
        files: the published files.
    """
    content = {
        "as_of_date": as_of_date.isoformat(),
        "run_id": run_id,
        "versions": {name: version(name) for name in _VERSIONS},
        "files": [
            {
                "name": it.path.name,
                "size_bytes": it.size_bytes,
                "rows": it.rows,
                "sha256": it.sha256,
            }
            for it in files
        ],
    }
    return json.dumps(content, indent=2) + "\n"


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Read the manifest of a folder of outputs; None if there is none that can be read."""
    try:
        content = json.loads((folder / FILE_NAME).read_bytes())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def holds(folder: Path, digest: str) -> bool:
    """Whether a folder holds, byte for byte, the set of files with a digest.

    Args:
        folder: the folder of outputs.
        digest: what `digest_of` said when they were published.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        return False
    try:
        found = [(it["name"], it["sha256"]) for it in manifest["files"]]
        if digest_of(found) != digest:
            return False
        return all(describe(folder / name).sha256 == sha256 for name, sha256 in found)
    except (OSError, KeyError, TypeError):
        # A file is gone or may not be read: a run makes it anew, or says why it cannot.
        return False
