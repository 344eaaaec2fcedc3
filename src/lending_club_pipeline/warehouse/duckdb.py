"""The embedded warehouse: one DuckDB file and the landed Parquet beside it."""

import datetime as dt
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb

from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.errors import (
    PipelineError,
    WarehouseError,
    WarehouseLockedError,
)
from lending_club_pipeline.contract.preflight_results import PreflightResult
from lending_club_pipeline.contract.tables import ExpectedTable, Table, describe_differences
from lending_club_pipeline.files import duckdb_paths
from lending_club_pipeline.files.locks import exclusive_lock
from lending_club_pipeline.files.plain_paths import plain_file
from lending_club_pipeline.warehouse import approvals, landing_views
from lending_club_pipeline.warehouse.day_tables import KEY, DayTable, dates_listed
from lending_club_pipeline.warehouse.duckdb_file import explaining, open_database
from lending_club_pipeline.warehouse.protocol import DAILY_RECORDS, FileFormat
from lending_club_pipeline.warehouse.serving import Serving

if TYPE_CHECKING:
    # Takes 0.1 s to import; a run on DuckDB does not need it.
    import pyarrow as pa

_COPY_OPTIONS: Final[dict[FileFormat, str]] = {
    "csv": "format csv, header true",
    # Level 1 makes files as small as the default level does, in two thirds of the time. So does a
    # smaller dictionary: DuckDB gives up early on values that hardly repeat.
    "parquet": "format parquet, compression zstd, compression_level 1, dictionary_size_limit 1000",
}
_TIMESTAMP: Final = "timestamp"
_CONNECTIONS_OF_DBT: Final = "dbt.adapters.duckdb.connections"


@dataclass
class DuckDBWarehouse:
    """DuckDB behind the protocol `Warehouse`.

    Attributes:
        path: the database file.
        memory_bytes: memory limit of the engine; beyond it, the engine spills beside the database.
        threads: threads of the engine; None means all cores.
        lock_wait_seconds: how long a session waits for another run to end.
    """

    path: Path
    memory_bytes: int
    threads: int | None = None
    lock_wait_seconds: float = 0.0
    _open: duckdb.DuckDBPyConnection | None = field(default=None, repr=False)

    engine: str = "duckdb"

    @classmethod
    def from_settings(cls, settings: DataPlatformConfig) -> "DuckDBWarehouse":
        """Make the warehouse that the settings describe; nothing is opened yet."""
        return cls(
            path=settings.duckdb.path.absolute(),
            memory_bytes=settings.engine.memory_bytes,
            threads=settings.duckdb.threads,
            lock_wait_seconds=settings.engine.lock_wait_seconds,
        )

    @property
    def location(self) -> str:
        """Return the path of the database file."""
        return str(self.path)

    @contextmanager
    def session(self, *, read_only: bool = False, run_id: str = "") -> Iterator[None]:  # noqa: ARG002 - for Databricks
        """Open the database; see `Warehouse.session`."""
        if read_only:
            with self._connected(read_only=True):
                yield
            return
        with exclusive_lock(Path(f"{self.path}.lock"), self.lock_wait_seconds):
            # Only a killed run leaves this, and no other run works while we hold the lock.
            shutil.rmtree(Path(f"{self.path}.tmp"), ignore_errors=True)
            with self._connected(read_only=False):
                try:
                    yield
                finally:
                    if _CONNECTIONS_OF_DBT in sys.modules:
                        # An interrupted build has left them open.
                        self.disconnect_dbt()

    @contextmanager
    def _connected(self, *, read_only: bool) -> Iterator[None]:
        self._open = open_database(
            self.path, read_only=read_only, wait_seconds=self.lock_wait_seconds
        )
        try:
            # Set after connecting: options of the connection would have to be equal for dbt's
            # connection to the same file in this process.
            self._open.execute(f"set global memory_limit = '{self.memory_bytes}B'")
            if self.threads is not None:
                self._open.execute(f"set global threads = {self.threads}")
            yield
        finally:
            self._open.close()
            self._open = None

    @property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        if self._open is None:
            raise WarehouseError(f"{self.path}: the database is not open. Use it in a session.")
        return self._open

    def preflight(self) -> Iterator[PreflightResult]:
        """Open an existing database for writing, without waiting; see `Warehouse.preflight`."""
        try:
            yield PreflightResult("database", "ok", self._checked())
        except WarehouseLockedError as error:
            if self.lock_wait_seconds:
                waits = f"A run waits for it, {self.lock_wait_seconds:g} s at most."
                yield PreflightResult("database", "warning", f"{error} {waits}")
            else:
                yield PreflightResult("database", "problem", str(error))
        except PipelineError as error:
            yield PreflightResult("database", "problem", str(error))

    def _checked(self) -> str:
        if not self.path.exists():
            return f"{self.path} (will be made)"
        impatient = replace(self, lock_wait_seconds=0.0)
        with impatient.session():
            impatient.fetch("select 1 as one")
        return f"{self.path}, {self.path.stat().st_size / 2**20:,.1f} MiB, free to use"

    def load_raw(
        self,
        landing: Path,
        as_of_date: dt.date,  # noqa: ARG002 - for Databricks
        *,
        force: bool = False,  # noqa: ARG002 - for Databricks
    ) -> None:
        """Define views over the landed Parquet of all days; nothing is copied."""
        self._refuse_tables_in_place_of_views()
        self.check_tables((approvals.EXPECTED,))
        with explaining(self.path):
            self._define_views(landing)

    def _refuse_tables_in_place_of_views(self) -> None:
        found = self._tables()
        for name in landing_views.NAMES:
            if name in found and not found[name].kind:
                raise WarehouseError(
                    f"{self.path}: {name} is a table, where this pipeline has a view of the landed "
                    "files. Nothing was written. Keep that table under another name: alter table "
                    f"{name} rename to …"
                )

    def check_tables(self, expected: Sequence[ExpectedTable]) -> None:
        """Compare tables with the columns that dbt writes; see `Warehouse.check_tables`."""
        found = self._tables()
        for table in expected:
            if table.name in found:
                types = {type_: self._own_name_of(type_) for type_ in table.columns.values()}
                problem = describe_differences(table, types, found[table.name])
                if problem is not None:
                    raise WarehouseError(f"{self.path}: {problem}.")

    def _tables(self) -> dict[str, Table]:
        """Return the tables and views of this database by name."""
        rows = self.fetch(
            "select columns.table_name, columns.column_name, columns.data_type, "
            "views.view_name is not null as is_view from duckdb_columns() as columns "
            "left join duckdb_views() as views on columns.table_oid = views.view_oid "
            "and columns.database_oid = views.database_oid "
            "where columns.database_name = current_database() and columns.schema_name = 'main' "
            "and not columns.internal"
        )
        found: dict[str, Table] = {}
        for row in rows:
            name, kind = row["table_name"], "not a table but a view" if row["is_view"] else ""
            table = found.setdefault(name, Table(name, {}, kind))
            table.columns[row["column_name"]] = row["data_type"]
        return found

    def _own_name_of(self, type_: str) -> str:
        return str(self.fetch(f"select typeof(cast(null as {type_})) as type")[0]["type"])

    def _define_views(self, landing: Path) -> None:
        for statement in landing_views.definitions(landing):
            self._connection.execute(statement)
        self._connection.execute(approvals.creation(approvals.TABLE, _TIMESTAMP))

    def record_approval(self, approval: approvals.Approval) -> None:
        """Add an approval; see `Warehouse.record_approval`."""
        with explaining(self.path):
            self._connection.execute(
                approvals.insertion(approvals.TABLE, approval, _TIMESTAMP, duckdb_paths.literal)
            )

    def read_days(
        self, table: DayTable, dates: Sequence[dt.date] | None = None
    ) -> list[dict[str, Any]]:
        """Return the rows of a table of days; see `Warehouse.read_days`."""
        if table.name not in self.relations() or dates == []:
            return []
        only = "" if dates is None else f"where {KEY} in ({dates_listed(dates)})"
        return self.fetch(f"select * from {table.name} {only} order by all")

    def replace_days(
        self, table: DayTable, dates: Sequence[dt.date], rows: Sequence[Mapping[str, Any]]
    ) -> None:
        """Replace the rows in one transaction; see `Warehouse.replace_days`."""
        with explaining(self.path), self.cursor() as cursor:
            cursor.execute(table.creation(table.name, _TIMESTAMP))
            for name, type_ in table.types(_TIMESTAMP).items():
                # An older version may have made it.
                cursor.execute(f"alter table {table.name} add column if not exists {name} {type_}")
            cursor.begin()
            cursor.execute(f"delete from {table.name} where {KEY} in ({dates_listed(dates)})")
            if rows:
                values = table.values(rows, _TIMESTAMP, duckdb_paths.literal)
                cursor.execute(f"insert into {table.name} by name {values}")
            cursor.commit()

    def relations(self) -> set[str]:
        """Return the names of tables and views; see `Warehouse.relations`."""
        rows = self.fetch(
            "select table_name from information_schema.tables "
            "where table_schema = current_schema() and table_catalog = current_database()"
        )
        return {row["table_name"] for row in rows}

    def drop_days(self, dates: Sequence[dt.date]) -> None:
        """Delete all in one transaction; see `Warehouse.drop_days`. Raw records are only viewed."""
        with explaining(self.path):
            known = self.fetch("select table_name from duckdb_tables() where not internal")
            with self.cursor() as cursor:
                cursor.begin()
                for table in sorted(DAILY_RECORDS & {row["table_name"] for row in known}):
                    cursor.execute(
                        f"delete from {table} where as_of_date in ({dates_listed(dates)})"
                    )
                cursor.commit()

    def dbt_environment(self) -> Mapping[str, str]:
        """Return the variables that `dbt/profiles.yml` reads for this target."""
        return {
            "DATABASE_TYPE": "duckdb",
            "DBT_TARGET": "duckdb",
            "DUCKDB_PATH": str(plain_file(self.path)),
            # An embedded database has no users, so dbt cannot grant anything.
            "DATABRICKS_READERS": "",
        }

    def disconnect_dbt(self) -> None:
        """Close dbt-duckdb's connections, so that the file is free when the session ends."""
        from dbt.adapters.duckdb.connections import (  # noqa: PLC0415 - only after dbt ran
            DuckDBConnectionManager,
        )

        DuckDBConnectionManager.close_all_connections()

    @property
    def retry_seconds(self) -> float:
        """Return zero: an embedded engine has no transient errors."""
        return 0.0

    def is_transient(self, message: str) -> bool:  # noqa: ARG002 - for Databricks
        """Return False: an embedded engine has no transient errors."""
        return False

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Return a cursor on the open database."""
        with self._connection.cursor() as cursor:
            yield cursor

    def fetch(self, query: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Return a small result, one mapping per row."""
        with explaining(self.path):
            cursor = self._connection.cursor()
            cursor.execute(query, list(parameters))
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    @contextmanager
    def stream(self, query: str) -> Iterator["pa.RecordBatchReader"]:
        """Return a result of any size as a stream of Arrow batches."""
        with self.cursor() as cursor:
            yield cursor.sql(query).to_arrow_reader()

    @property
    def serves_readers(self) -> bool:
        """Whether there is a table for readers: no, they use the files."""
        return False

    def serving(self) -> Serving:
        """Refuse: an embedded database has no readers of its own."""
        raise WarehouseError(f"{self.path}: this database serves no readers; they use the files.")

    def is_stored_in_order(self, table: str, key: str) -> bool:
        """Compare each row with the one before; see `Warehouse.is_stored_in_order`.

        DuckDB keeps the order of a table where neither `select`, `copy` nor `over ()` has one
        (https://duckdb.org/docs/stable/sql/dialect/order_preservation).
        """
        (row,) = self.fetch(
            f"select not exists(select 1 from (select {key} as this_key, "
            f"lag({key}) over () as previous_key from {table}) as in_turn "
            "where this_key is null or previous_key >= this_key) as grows"
        )
        return bool(row["grows"])

    def convert_to_csv(self, parquet: Path, target: Path) -> int:
        """Write a Parquet file as CSV; see `Warehouse.convert_to_csv`."""
        return self.copy_to_file(f"from {duckdb_paths.parquet(parquet)}", target, "csv")

    def copy_to_file(self, query: str, target: Path, file_format: FileFormat) -> int:
        """Let the engine write the file itself; return the number of rows."""
        # Threads that write CSV together can wait for each other forever on a full disk.
        threads = _one_thread(self._connection) if file_format == "csv" else nullcontext()
        with explaining(self.path), threads:
            row = self._connection.execute(copy_statement(query, target, file_format)).fetchone()
        return 0 if row is None else int(row[0])


@contextmanager
def _one_thread(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    threads = connection.execute("select current_setting('threads')").fetchall()[0][0]
    connection.execute("set threads = 1")
    try:
        yield
    finally:
        connection.execute(f"set threads = {threads}")


def copy_statement(query: str, target: Path, file_format: FileFormat) -> str:
    """Return the statement that writes a result to a file, in the order of the query."""
    return f"copy ({query}) to {duckdb_paths.literal(target)} ({_COPY_OPTIONS[file_format]})"
