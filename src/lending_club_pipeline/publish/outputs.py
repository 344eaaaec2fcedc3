"""One publication: all files of a delivery are written aside, then exchanged together."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.files.atomic import Publication, WrittenFile, describe, explaining
from lending_club_pipeline.files.sharing import OWNER_ONLY, Sharing
from lending_club_pipeline.publish.held_pages import remove_pages_of_published
from lending_club_pipeline.publish.manifest import FILE_NAME, digest_of, render_manifest
from lending_club_pipeline.publish.output_files import OUTPUT_FILES, OUTPUTS, Sources
from lending_club_pipeline.publish.tables import (
    ACCOUNT_SUMMARY,
    QUARANTINE,
    PublishedTable,
    SummaryInOrder,
)
from lending_club_pipeline.reconcile.ledger import DeliveryLedger
from lending_club_pipeline.warehouse.protocol import Warehouse


@dataclass(frozen=True)
class Published:
    """What was published.

    Attributes:
        files: by file name.
        seconds: wall time that each took to write, by file name.
        digest: checksum of all of them, see `manifest.digest_of`.
    """

    files: dict[str, WrittenFile]
    seconds: dict[str, float]
    digest: str


def sharing_of(settings: DataPlatformConfig) -> Sharing:
    """Return who may read what is published."""
    return Sharing(settings.outputs.mode_bits, settings.outputs.group)


def publish_outputs(
    warehouse: Warehouse,
    folder: Path,
    ledger: DeliveryLedger,
    read_page: Callable[[], str],
    run_id: str,
    on_progress: Callable[[str], None],
    sharing: Sharing = OWNER_ONLY,
) -> Published:
    """Publish the files of a delivery, `manifest.json` last: all of them, or none.

    Args:
        warehouse: an open warehouse.
        folder: where outputs are published.
        ledger: ledger of the delivery.
        read_page: returns the page of its report.
        run_id: Dagster's id of the run.
        on_progress: called with a short text about the current step.
        sharing: who may read the files.

    Raises:
        OutputError: a file cannot be written, or its rows are not those of the ledger.
    """
    files: dict[str, WrittenFile] = {}
    seconds: dict[str, float] = {}
    with Publication(sharing=sharing) as publication:
        sources = Sources(
            SummaryInOrder(
                _summary(warehouse, ledger), publication.scratch(folder / "account_summary.sorted")
            ),
            PublishedTable(warehouse, "quarantine.csv", QUARANTINE, ledger.all_excluded),
            read_page,
        )
        on_progress("Sorting account_summary")
        with explaining(folder):
            sources.summary.prepare()
        for output in OUTPUTS:
            on_progress(f"Writing {output.name}")
            started = time.monotonic()
            target = folder / output.name
            work = publication.temp_path_for(target)
            with explaining(target):
                rows = output.write(sources, work)
                files[output.name] = describe(work, rows, target)
            seconds[output.name] = round(time.monotonic() - started, 3)
        manifest = render_manifest(
            ledger.as_of_date, run_id, [files[name] for name in OUTPUT_FILES]
        )
        work = publication.temp_path_for(folder / FILE_NAME)
        with explaining(work):
            work.write_text(manifest, encoding="utf-8", newline="\n")
    remove_pages_of_published(warehouse, folder)
    digest = digest_of((name, file.sha256) for name, file in files.items())
    return Published(files, seconds, digest)


def _summary(warehouse: Warehouse, ledger: DeliveryLedger) -> PublishedTable:
    rows = ledger.rows("accounts.csv", "published")
    return PublishedTable(warehouse, "account_summary", ACCOUNT_SUMMARY, rows)
