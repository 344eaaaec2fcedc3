"""What was published last, and whether it still lies there: what `run` asks before it does nothing.

The outputs follow from the warehouse, but lie in a folder that anybody may name, change or clear.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.files.atomic import replacing
from lending_club_pipeline.ingest.csv.byte_counts import sha256_of
from lending_club_pipeline.publish.tables import OUTPUT_FILES

_RECORD: Final = "published.json"


def remember_published(settings: DataPlatformConfig, checksums: Mapping[Path, str]) -> None:
    """Remember what a run has published.

    Args:
        settings: the project's settings.
        checksums: SHA-256 of each file, in hexadecimal digits.

    Raises:
        OutputError: the landing folder cannot be written.
    """
    with replacing(settings.landing / _RECORD, "LANDING_PATH") as work:
        work.write_text(json.dumps({str(path): it for path, it in checksums.items()}))


def is_still_published(settings: DataPlatformConfig) -> bool:
    """Whether the folder of outputs holds, byte for byte, what was published last."""
    record = settings.landing / _RECORD
    if not record.exists():
        return False
    remembered: dict[str, str] = json.loads(record.read_bytes())
    paths = [settings.output_path.absolute() / name for name in OUTPUT_FILES]
    try:
        return all(remembered.get(str(path)) == sha256_of(path) for path in paths)
    except OSError:
        # A file is gone or may not be read; a run makes it anew, or says why it cannot.
        return False
