"""Load a landed day into the raw Delta tables: upload, load, verify; no row goes through Python."""

import datetime as dt
import shutil
import tempfile
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lending_club_pipeline.contract.errors import WarehouseError
from lending_club_pipeline.contract.source_files import SOURCE_FILES
from lending_club_pipeline.ingest.landed_files import read_landed_files
from lending_club_pipeline.warehouse.databricks.catalog import Catalog
from lending_club_pipeline.warehouse.databricks.raw_tables import RAW_TABLES, RawSchema
from lending_club_pipeline.warehouse.databricks.statements import StatementSession, text
from lending_club_pipeline.warehouse.databricks.uploads import measure, write_parts

_UPLOAD: Final = ".upload-"
# Checksum of the file, rows and content, by table and file.
_Loaded = dict[tuple[str, str], tuple[str, int, int]]


@dataclass(frozen=True)
class Loader:
    """Loads landed days.

    Attributes:
        session: an open session, allowed to upload from `staging`.
        schema: where the raw tables and the volume are.
        staging: local folder for the parts that are uploaded.
        memory_bytes: memory limit of the engine that writes the parts.
        threads: its threads; None means all cores.
        catalog: the tables of the schema.
    """

    session: StatementSession
    schema: RawSchema
    staging: Path
    memory_bytes: int
    threads: int | None
    catalog: Catalog

    def load(self, landed: Path, as_of_date: dt.date, *, force: bool = False) -> bool:
        """Make the raw tables hold exactly the landed records of a date, to the last character.

        Args:
            landed: folder of the landed day.
            as_of_date: its date.
            force: load it even if they already hold it.

        Returns:
            Whether anything was loaded.

        Raises:
            WarehouseError: a table is not as this project makes it, a statement failed, or the
                tables do not hold the landed records.
        """
        are_new = self._prepare_tables()
        expected = self._expected(landed, as_of_date)
        if not (are_new or force) and self._state(as_of_date) == expected:
            return False
        folder = self.schema.folder_of(as_of_date, uuid.uuid4().hex)
        self._upload(landed, as_of_date, folder)
        for table in RAW_TABLES:
            self.session.run(self.schema.load(table, as_of_date, folder))
        self._prove(as_of_date, expected)
        self._remove_others(as_of_date, folder)
        return True

    def drop(self, as_of_date: dt.date) -> None:
        """Delete all records of a date; `delivered_files` last, so that after a kill it is found.

        Raises:
            WarehouseError: a statement failed.
        """
        found = self.session.fetch(f"list {text(self.schema.folder_of_volume)}")
        day = self.schema.folder_of_day(as_of_date)
        if day in {str(row["path"]).removeprefix("dbfs:").rstrip("/") for row in found}:
            self._remove_others(as_of_date, "")
        for statement in self.schema.deletions(as_of_date):
            self.session.run(statement)

    def _prepare_tables(self) -> bool:
        """Refuse tables that are not ours, and make missing ones (in the first run).

        Returns:
            Whether no table existed, so that nothing is loaded.
        """
        self.catalog.check(self.schema.expected)
        names = [table.name for table in self.schema.expected]
        missing = [name for name in names if not self.catalog.has(name)]
        if missing:
            for statement in self.schema.creations():
                self.session.run(statement)
            self.catalog.add(names)
        return missing == names

    def _prove(self, as_of_date: dt.date, expected: _Loaded) -> None:
        state = self._state(as_of_date)
        if state == expected:
            return
        # A delivery in `delivered_files` counts as loaded.
        *_, last = self.schema.deletions(as_of_date)
        self.session.run(last)
        wrong = sorted({name for name, _ in {*state.items() ^ expected.items()}})
        tables = ", ".join(sorted({table for table, _ in wrong}))
        raise WarehouseError(
            f"{self.session.address}: {tables} do not match the landed records of {as_of_date}. "
            "Nothing was published. Look for another writer of these tables, and run again."
        )

    def _state(self, as_of_date: dt.date) -> _Loaded:
        """Read the loaded content of a date."""
        state: _Loaded = {}
        for row in self.session.fetch(self.schema.loaded(as_of_date)):
            # Two checksums of one file in one date come from a broken load: never equal.
            key = (row["name"], row["source_file"])
            found = (row["sha256"], row["row_count"], int(row["content"]))
            state[key] = ("several", -1, -1) if key in state else found
        return state

    def _expected(self, landed: Path, as_of_date: dt.date) -> _Loaded:
        """Return the content to load: proven counts, and the content of the landed files."""
        content = measure(landed, as_of_date, self.memory_bytes, self.threads)
        tables = {source.name: f"{source.table}_raw" for source in SOURCE_FILES}
        found: _Loaded = {}
        for file in read_landed_files(landed):
            name = file.source_file
            for table, checksum, rows in (
                ("delivered_files", file.sha256, 1),
                (tables[name], file.sha256, file.landed_records),
                ("rejected_records", "", file.rejected_records),
            ):
                if rows:
                    found[table, name] = (checksum, rows, content.get((table, name), -1))
        return found

    def _upload(self, landed: Path, as_of_date: dt.date, folder: str) -> None:
        self.staging.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in self.staging.glob(f"{_UPLOAD}*"):
            # Only a killed run leaves this folder, and no other run uploads while we hold the lock.
            shutil.rmtree(left, ignore_errors=True)
        work = Path(tempfile.mkdtemp(prefix=_UPLOAD, dir=self.staging))
        try:
            parts = write_parts(landed, as_of_date, work, self.memory_bytes, self.threads)
            for table, paths in parts.items():
                for path in paths:
                    self.session.run(
                        f"put {text(path)} into {text(f'{folder}/{table}/{path.name}')} overwrite"
                    )
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _remove_others(self, as_of_date: dt.date, folder: str) -> None:
        """Remove earlier uploads of that date from the volume."""
        for path in self._files_below(self.schema.folder_of_day(as_of_date), folder):
            self.session.run(f"remove {text(path)}")

    def _files_below(self, folder: str, but_for: str) -> Iterable[str]:
        for row in self.session.fetch(f"list {text(folder)}"):
            path = str(row["path"]).removeprefix("dbfs:")
            if path.rstrip("/") == but_for:
                continue
            if path.endswith("/"):
                yield from self._files_below(path.rstrip("/"), but_for)
            else:
                yield path
