"""Write the delivery of one day; a reader never sees a part of a file."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import duckdb

from lending_club_pipeline.contract.errors import OutputError
from lending_club_pipeline.contract.source_files import (
    ACCOUNTS,
    CUSTOMERS,
    SUFFIXES,
    Compression,
    SourceFile,
)
from lending_club_pipeline.files.processes import process_label
from lending_club_pipeline.synthetic.accounts import account_lines
from lending_club_pipeline.synthetic.arguments import delivered_paths
from lending_club_pipeline.synthetic.customers import customer_lines
from lending_club_pipeline.synthetic.lines import (
    LineSource,
    WritingLimits,
    write_lines,
)
from lending_club_pipeline.synthetic.placements import Placement
from lending_club_pipeline.synthetic.populations import Population

Placements: TypeAlias = Mapping[SourceFile, Placement]


@dataclass(frozen=True)
class DayWriter:
    """Writes deliveries.

    Attributes:
        connection: an engine of one thread; see `write_lines`.
        compression: how the files are compressed.
        limits: bounds of the work.
        on_progress: called with a short text about the current step.
    """

    connection: duckdb.DuckDBPyConnection
    compression: Compression
    limits: WritingLimits
    on_progress: Callable[[str], None]

    def write(self, population: Population, placements: Placements, folder: Path) -> None:
        """Write both files into a folder; they replace old files when both are complete.

        Raises:
            OutputError: a file cannot be written.
        """
        suffix = SUFFIXES[self.compression]
        works = {}
        with _explaining(folder):
            folder.mkdir(parents=True, exist_ok=True)
            try:
                for source, lines in _line_sources(population, placements).items():
                    target = folder / f"{source.name}{suffix}"
                    works[target] = folder / f".{target.name}.{process_label()}.tmp"
                    self._write_file(lines, target, works[target])
                for target, work in works.items():
                    work.replace(target)
            finally:
                for work in works.values():
                    work.unlink(missing_ok=True)
            for path in set(delivered_paths(folder)) - set(works):
                path.unlink(missing_ok=True)

    def _write_file(self, lines: LineSource, target: Path, work: Path) -> None:
        self.on_progress(f"Writing {target}: {lines.records:,} records")

        def tell(written: int) -> None:
            if written < lines.records:
                self.on_progress(f"Writing {target}: {written:,} of {lines.records:,} records")

        write_lines(self.connection, lines, work, self.compression, self.limits, tell)


def _line_sources(
    population: Population, placements: Placements
) -> Mapping[SourceFile, LineSource]:
    customers, accounts = placements[CUSTOMERS], placements[ACCOUNTS]
    return {
        CUSTOMERS: LineSource(
            ",".join(CUSTOMERS.columns),
            population.customers,
            partial(customer_lines, population, customers),
        ),
        ACCOUNTS: LineSource(
            ",".join(ACCOUNTS.columns),
            population.accounts,
            partial(account_lines, population, accounts, customers),
        ),
    }


@contextmanager
def _explaining(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{folder}: this delivery cannot be written ({os.strerror(error.errno or 0)}). "
            "Check disk space and rights, or name another folder."
        ) from error
