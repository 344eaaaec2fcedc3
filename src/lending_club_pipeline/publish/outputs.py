"""One publication: all files of a delivery are written aside, then exchanged together."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lending_club_pipeline.contract.errors import OutputError
from lending_club_pipeline.files.atomic import WrittenFile, describe
from lending_club_pipeline.publish.held_pages import remove_pages_of_published
from lending_club_pipeline.publish.manifest import FILE_NAME, digest_of, render_manifest
from lending_club_pipeline.publish.output_files import OUTPUT_FILES, OUTPUTS, Sources
from lending_club_pipeline.publish.tables import (
    ACCOUNT_SUMMARY,
    QUARANTINE,
    PublishedTable,
    SummaryInOrder,
)
from lending_club_pipeline.reconcile.ledger import (
    DeliveryLedger,
    newest_publishable_date,
    read_ledger,
)
from lending_club_pipeline.storage.outputs import Outputs
from lending_club_pipeline.warehouse.protocol import Warehouse

_LABEL_DIGITS: Final = 16


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


def published_ledger(warehouse: Warehouse) -> DeliveryLedger:
    """Read the ledger of the delivery that is published: the newest that closes and is not held.

    Raises:
        OutputError: no delivery that may be published was processed yet.
    """
    newest = newest_publishable_date(warehouse)
    ledger = None if newest is None else read_ledger(warehouse, newest)
    if ledger is None:
        raise OutputError("There is nothing to publish: no delivery was processed yet.")
    return ledger


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
    with outputs.publication(manifest=FILE_NAME) as publication:
        sources = Sources(
            SummaryInOrder(
                _summary(warehouse, ledger), publication.scratch("account_summary.sorted")
            ),
            PublishedTable(warehouse, "quarantine.csv", QUARANTINE, ledger.all_excluded),
            read_page,
        )
        on_progress("Sorting account_summary")
        with publication.explaining():
            sources.summary.prepare()
        for output in OUTPUTS:
            on_progress(f"Writing {output.name}")
            started = time.monotonic()
            work = publication.work_for(output.name)
            with publication.explaining(output.name):
                rows = output.write(sources, work)
                files[output.name] = describe(work, rows, outputs.location / output.name)
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
    return Published(files, seconds, digest)


def _summary(warehouse: Warehouse, ledger: DeliveryLedger) -> PublishedTable:
    rows = ledger.rows("accounts.csv", "published")
    return PublishedTable(warehouse, "account_summary", ACCOUNT_SUMMARY, rows)
