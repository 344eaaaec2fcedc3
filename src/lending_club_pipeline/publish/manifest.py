"""`manifest.json`: the files that were published together; it is written last.

A reader that wants a consistent set reads it first and compares the checksums.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any, Final

from lending_club_pipeline.files.atomic import WrittenFile
from lending_club_pipeline.storage.outputs import Outputs

FILE_NAME: Final = "manifest.json"
_VERSIONS: Final = ("lending-club-pipeline", "dbt-core", "duckdb")


def digest_of(files: Iterable[tuple[str, str]]) -> str:
    """Return one checksum for a set of files.

    Args:
        files: name and SHA-256 of each.
    """
    listed = "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(files))
    return hashlib.sha256(listed.encode()).hexdigest()


def render_manifest(
    as_of_date: dt.date, run_id: str, files: Iterable[WrittenFile], kept_in: str = ""
) -> str:
    """Return the text of a manifest.

    Args:
        as_of_date: business date of the delivery that is published.
        run_id: Dagster's id of the run that publishes it.
        files: the published files.
        kept_in: prefix of the copies that never change, see `OutputSet`.
    """
    content = {
        "as_of_date": as_of_date.isoformat(),
        "run_id": run_id,
        "versions": {name: version(name) for name in _VERSIONS},
        "files": [
            {
                "name": it.path.name,
                "path": f"{kept_in}{it.path.name}",
                "size_bytes": it.size_bytes,
                "rows": it.rows,
                "sha256": it.sha256,
            }
            for it in files
        ],
    }
    return json.dumps(content, indent=2) + "\n"


def read_manifest(outputs: Outputs) -> dict[str, Any] | None:
    """Read the manifest of published outputs; None if it is missing or unreadable."""
    try:
        content = json.loads(outputs.read(FILE_NAME) or b"")
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def holds(outputs: Outputs, digest: str) -> bool:
    """Whether outputs hold, byte for byte, the set of files with a digest.

    Args:
        outputs: where they are published.
        digest: result of `digest_of` when they were published.
    """
    manifest = read_manifest(outputs)
    if manifest is None:
        return False
    try:
        found = [(it["name"], it["sha256"]) for it in manifest["files"]]
        if digest_of(found) != digest:
            return False
        return all(outputs.sha256_of(name) == sha256 for name, sha256 in found)
    except (KeyError, TypeError):
        # Another program wrote it: a run writes it again.
        return False
