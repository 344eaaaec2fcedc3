"""The protocol of a warehouse, which both engines implement."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from lending_club_pipeline.contract.preflight_results import PreflightResult
from lending_club_pipeline.contract.tables import ExpectedTable
from lending_club_pipeline.warehouse.approvals import Approval
from lending_club_pipeline.warehouse.day_tables import DayTable
from lending_club_pipeline.warehouse.serving import Serving

if TYPE_CHECKING:
    # Takes 0.1 s to import; a run on DuckDB does not need it.
    import pyarrow as pa


FileFormat = Literal["csv", "parquet"]
# Marts with a row per record and day; `drop_days` drops their rows.
DAILY_RECORDS: Final = frozenset({"account_summary_daily", "quarantined_records"})


class Warehouse(Protocol):
    """Holds raw data and marts; dbt transforms its data, and outputs are read from it.

    Statements are plain SQL that both engines understand; values are bound, never pasted.
    """

    @property
    def engine(self) -> str:
        """Name of the engine, which is also dbt's target."""

    @property
    def location(self) -> str:
        """Where the data is, for people."""

    def session(self, *, read_only: bool = False, run_id: str = "") -> AbstractContextManager[None]:
        """Open the warehouse for a run, and keep other runs out meanwhile.

        Args:
            read_only: open it for reading; other runs go on.
            run_id: Dagster's id of the run, by which an administrator finds its statements.

        Raises:
            WarehouseLockedError: another process holds it.
            WarehouseError: it cannot be opened.
        """

    def preflight(self) -> Iterator[PreflightResult]:
        """Check step by step that a run can use the warehouse; change nothing."""

    def load_raw(self, landing: Path, as_of_date: dt.date, *, force: bool = False) -> None:
        """Make the landed records of a date visible to dbt as its sources.

        Args:
            landing: folder of all landed days.
            as_of_date: the landed date.
            force: load it again even if it is loaded (if the engine copies data).

        Raises:
            WarehouseError: a table is not as this project makes it, or does not hold the landed
                records.
        """

    def check_tables(self, expected: Sequence[ExpectedTable]) -> None:
        """Compare existing tables with their expected definitions; change nothing.

        Args:
            expected: the expected tables; missing tables are allowed.

        Raises:
            WarehouseError: a table is not as this project makes it; the text names table,
                difference and remedy.
        """

    def record_approval(self, approval: Approval) -> None:
        """Record an approval of a held delivery, which dbt reads as a source."""

    def read_days(
        self, table: DayTable, dates: Sequence[dt.date] | None = None
    ) -> list[dict[str, Any]]:
        """Return the rows of a table of days, oldest date first; none if it was never written.

        Args:
            table: which one.
            dates: only rows of these dates, if given.
        """

    def replace_days(
        self, table: DayTable, dates: Sequence[dt.date], rows: Sequence[Mapping[str, Any]]
    ) -> None:
        """Replace the rows of some dates in a table of days, atomically.

        Args:
            table: the table; it is made if it is missing.
            dates: business dates whose rows are replaced; at least one.
            rows: their rows, with a value for every column.
        """

    def relations(self) -> set[str]:
        """Return the names of the existing tables and views."""

    def drop_days(self, dates: Sequence[dt.date]) -> None:
        """Delete the records of some dates: daily summary, quarantine, and loaded raw records.

        A second call completes a killed one.
        """

    def dbt_environment(self) -> Mapping[str, str]:
        """Return the environment variables with which dbt finds the same data."""

    def disconnect_dbt(self) -> None:
        """Close connections that dbt left open in this process."""

    @property
    def retry_seconds(self) -> float:
        """How long transient errors are retried; zero if the engine has none."""

    def is_transient(self, message: str) -> bool:
        """Whether a message of the engine, from dbt, describes a transient error."""

    def fetch(self, query: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Return a small result, one mapping per row."""

    def stream(self, query: str) -> "AbstractContextManager[pa.RecordBatchReader]":
        """Return a result of any size as a stream of Arrow batches."""

    def is_stored_in_order(self, table: str, key: str) -> bool:
        """Whether a table is read back in an order in which its key grows from row to row."""

    def convert_to_csv(self, parquet: Path, target: Path) -> int:
        """Write a Parquet file of any size as CSV, rows in its order; return their number."""

    def copy_to_file(self, query: str, target: Path, file_format: FileFormat) -> int:
        """Write a result of any size, in the order of the query; return its number of rows."""

    @property
    def serves_readers(self) -> bool:
        """Whether there is a separate table for readers, in addition to the marts."""

    def serving(self) -> Serving:
        """Return the table that readers use.

        Raises:
            WarehouseError: this warehouse serves no readers.
        """
