"""Every published file and its asset. To add an output, add it to `OUTPUTS`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lending_club_pipeline.files.atomic import explaining
from lending_club_pipeline.publish.tables import (
    QUARANTINE_COLUMNS,
    SUMMARY_COLUMNS,
    PublishedTable,
    SortedTable,
)
from lending_club_pipeline.warehouse.serving import ServingColumn

FINANCE: Final = "finance@lendingclub.example"
PLATFORM: Final = "data-platform@lendingclub.example"


@dataclass(frozen=True)
class Sources:
    """The data from which outputs are written.

    Attributes:
        summary: the account summary, in order.
        quarantine: the records that are not used.
        read_page: returns the page of the report.
    """

    summary: PublishedTable | SortedTable
    quarantine: PublishedTable
    read_page: Callable[[], str]


@dataclass(frozen=True)
class OutputFile:
    """A file that is published.

    Attributes:
        asset: name of its asset.
        name: its file name.
        kind: its format, as Dagster shows it.
        description: its content, in one sentence.
        owner: address of its owner.
        made_of: assets from which it is made.
        write: writes it to a path; returns the number of its rows, if it has rows.
        columns: its columns, if any.
        mart: model that has these columns.
    """

    asset: str
    name: str
    kind: str
    description: str
    owner: str
    made_of: tuple[str, ...]
    write: Callable[[Sources, Path], int | None]
    columns: tuple[ServingColumn, ...] = ()
    mart: str = ""


def _write_page(sources: Sources, work: Path) -> None:
    page = sources.read_page()
    with explaining(work):
        work.write_text(page, encoding="utf-8", newline="\n")


# In the order in which they are written.
OUTPUTS: Final = (
    OutputFile(
        "account_summary_csv",
        "account_summary.csv",
        "csv",
        "`account_summary.csv`: the newest delivery's summary, ordered by account_id.",
        FINANCE,
        ("account_summary", "delivery_ledger"),
        lambda sources, work: sources.summary.write_csv(work),
        SUMMARY_COLUMNS,
        "account_summary",
    ),
    OutputFile(
        "quarantine_csv",
        "quarantine.csv",
        "csv",
        "`quarantine.csv`: every record that is not used, with all reasons and its raw text, "
        "to send back to the sender.",
        PLATFORM,
        ("quarantined_records", "delivery_ledger"),
        lambda sources, work: sources.quarantine.write_csv(work),
        QUARANTINE_COLUMNS,
        "quarantined_records",
    ),
    OutputFile(
        "delivery_report",
        "report.html",
        "html",
        "`report.html`: where every record went, why, balances and interest by tier, checks, "
        "and the previous delivery; one page for a manager.",
        FINANCE,
        ("account_summary", "account_summary_by_tier", "delivery_ledger", "quarantined_records"),
        _write_page,
    ),
    # Must be last: it moves the sorted file, if there is one, from which others are written.
    OutputFile(
        "account_summary_parquet",
        "account_summary.parquet",
        "parquet",
        "`account_summary.parquet`: the same rows and order, decimals kept, zstd.",
        FINANCE,
        ("account_summary", "delivery_ledger"),
        lambda sources, work: sources.summary.write_parquet(work),
        SUMMARY_COLUMNS,
        "account_summary",
    ),
)
OUTPUT_FILES: Final = tuple(sorted(output.name for output in OUTPUTS))
