"""From the landed day to the raw Delta tables: upload, load, prove; no row goes through Python."""

import datetime as dt
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lending_club_pipeline.contract.errors import WarehouseError
from lending_club_pipeline.contract.source_files import SOURCE_FILES
from lending_club_pipeline.ingest.landed_files import LandedFile, read_landed_files
from lending_club_pipeline.warehouse.databricks import errors
from lending_club_pipeline.warehouse.databricks.raw_tables import RAW_TABLES, RawSchema
from lending_club_pipeline.warehouse.databricks.statements import StatementSession, text
from lending_club_pipeline.warehouse.databricks.uploads import write_parts

_UPLOAD: Final = ".upload-"
_Loaded = dict[tuple[str, str], tuple[str, int]]


@dataclass(frozen=True)
class Loader:
    """Loads landed days.

    Attributes:
        session: an open session, allowed to upload from `staging`.
        schema: where the raw tables and the volume are.
        staging: local folder for the parts that are uploaded.
        memory_bytes: bound for the memory of the engine that writes the parts.
        threads: its threads; None means all cores.
    """

    session: StatementSession
    schema: RawSchema
    staging: Path
    memory_bytes: int
    threads: int | None

    def load(self, landed: Path, as_of_date: dt.date) -> bool:
        """Make the raw tables hold exactly what was landed of a date.

        Returns:
            Whether anything had to be loaded.

        Raises:
            WarehouseError: a statement failed, or the tables do not hold what was landed.
        """
        files = read_landed_files(landed)
        if self._is_loaded(files, self._state(as_of_date)):
            return False
        folder = self.schema.folder_of(as_of_date, uuid.uuid4().hex)
        self._upload(landed, as_of_date, folder)
        for table in RAW_TABLES:
            self.session.run(self.schema.load(table, as_of_date, folder))
        state = self._state(as_of_date)
        if not self._is_loaded(files, state):
            raise WarehouseError(
                f"{self.session.address}: the raw tables do not hold what was landed of "
                f"{as_of_date}: {state}. Nothing was published; run again."
            )
        self._remove_others(as_of_date, folder)
        return True

    def drop(self, as_of_date: dt.date) -> None:
        """Delete all records of a date; what lists the deliveries goes last, so that it is found.

        Raises:
            WarehouseError: a statement failed.
        """
        found = self.session.fetch(f"list {text(self.schema.folder_of_volume)}")
        day = self.schema.folder_of_day(as_of_date)
        if day in {str(row["path"]).removeprefix("dbfs:").rstrip("/") for row in found}:
            self._remove_others(as_of_date, "")
        for statement in self.schema.deletions(as_of_date):
            self.session.run(statement)

    def _state(self, as_of_date: dt.date) -> _Loaded:
        """Read what is loaded of a date; the first run of all makes the tables."""
        try:
            rows = self._rows(as_of_date)
        except WarehouseError as error:
            if not _is_missing(error):
                raise
            for statement in self.schema.creations():
                self.session.run(statement)
            rows = self._rows(as_of_date)
        state: _Loaded = {}
        for row in rows:
            # Two checksums of one file in one date are the trace of a broken load: never equal.
            key = (row["name"], row["source_file"])
            state[key] = ("several", -1) if key in state else (row["sha256"], row["row_count"])
        return state

    def _rows(self, as_of_date: dt.date) -> list[dict[str, Any]]:
        return self.session.fetch(self.schema.loaded(as_of_date))

    @staticmethod
    def _is_loaded(files: Iterable[LandedFile], state: Mapping[tuple[str, str], Any]) -> bool:
        expected: _Loaded = {}
        tables = {source.name: f"{source.table}_raw" for source in SOURCE_FILES}
        for file in files:
            expected["delivered_files", file.source_file] = (file.sha256, 1)
            if file.landed_records:
                key = (tables[file.source_file], file.source_file)
                expected[key] = (file.sha256, file.landed_records)
            if file.rejected_records:
                expected["rejected_records", file.source_file] = ("", file.rejected_records)
        return state == expected

    def _upload(self, landed: Path, as_of_date: dt.date, folder: str) -> None:
        self.staging.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in self.staging.glob(f"{_UPLOAD}*"):
            # Only a killed run leaves this behind, and nobody else uploads while we hold the lock.
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
        """Remove what earlier uploads of that date left in the volume."""
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


def _is_missing(error: WarehouseError) -> bool:
    cause = error.__cause__
    condition = "" if cause is None else errors.condition_of(str(cause))
    return condition.startswith(("TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND"))
