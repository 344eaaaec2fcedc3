"""One publication: all files are written to temporary files, then exchanged together.

The list of the files is in `output_files.py`.
"""

import csv
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from lending_club_pipeline.files.atomic import WrittenFile, describe
from lending_club_pipeline.publish.held_pages import remove_pages_of_published
from lending_club_pipeline.publish.manifest import FILE_NAME, digest_of, render_manifest
from lending_club_pipeline.publish.output_files import OUTPUT_FILES, OUTPUTS, Sources
from lending_club_pipeline.publish.tables import (
    QUARANTINE,
    PublishedTable,
    summary_in_order,
)
from lending_club_pipeline.reconcile.ledger import DeliveryLedger
from lending_club_pipeline.storage.outputs import Outputs
from lending_club_pipeline.warehouse.protocol import Warehouse

_LABEL_DIGITS: Final = 16
_SUMMARY_FILE: Final = "account_summary.csv"
_FIRST_ROWS: Final = 5


@dataclass(frozen=True)
class Published:
    """The result of a publication.

    Attributes:
        files: by file name.
        seconds: wall time that each took to write, by file name.
        digest: checksum of all of them, see `manifest.digest_of`.
        first_accounts: the first rows of the summary, each value as the CSV has it.
    """

    files: dict[str, WrittenFile]
    seconds: dict[str, float]
    digest: str
    first_accounts: tuple[dict[str, str], ...]


def publish_outputs(
    warehouse: Warehouse,
    outputs: Outputs,
    ledger: DeliveryLedger,
    read_page: Callable[[], str],
    run_id: str,
    on_progress: Callable[[str], None],
) -> Published:
    """Publish the files of a delivery, `manifest.json` last: all of them, or none.

    Args:
        warehouse: an open warehouse.
        outputs: where outputs are published.
        ledger: ledger of the delivery.
        read_page: returns the page of its report.
        run_id: Dagster's id of the run.
        on_progress: called with a short text about the current step.

    Raises:
        OutputError: a file cannot be written, or its rows are not those of the ledger.
    """
    files: dict[str, WrittenFile] = {}
    seconds: dict[str, float] = {}
    first_accounts: tuple[dict[str, str], ...] = ()
    with outputs.publication(manifest=FILE_NAME) as publication:
        with publication.explaining():
            summary = summary_in_order(
                warehouse,
                ledger.rows("accounts.csv", "published"),
                publication.scratch("account_summary.sorted"),
                on_progress,
            )
        sources = Sources(
            summary,
            PublishedTable(warehouse, "quarantine.csv", QUARANTINE, ledger.all_excluded),
            read_page,
        )
        for output in OUTPUTS:
            on_progress(f"Writing {output.name}")
            started = time.monotonic()
            work = publication.work_for(output.name)
            with publication.explaining(output.name):
                rows = output.write(sources, work)
                files[output.name] = describe(work, rows, outputs.location / output.name)
                if output.name == _SUMMARY_FILE:
                    first_accounts = _first_rows(work)
            seconds[output.name] = round(time.monotonic() - started, 3)
        digest = digest_of((name, file.sha256) for name, file in files.items())
        manifest = render_manifest(
            ledger.as_of_date,
            run_id,
            [files[name] for name in OUTPUT_FILES],
            publication.kept_in(f"{ledger.as_of_date}-{digest[:_LABEL_DIGITS]}"),
        )
        work = publication.work_for(FILE_NAME)
        with publication.explaining(FILE_NAME):
            work.write_text(manifest, encoding="utf-8", newline="\n")
    remove_pages_of_published(warehouse, outputs)
    return Published(files, seconds, digest, first_accounts)


def _first_rows(file: Path) -> tuple[dict[str, str], ...]:
    with file.open(newline="", encoding="utf-8") as lines:
        return tuple(islice(csv.DictReader(lines), _FIRST_ROWS))
