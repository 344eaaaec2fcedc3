"""Databricks SQL behind the protocol `Warehouse`."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lending_club_pipeline.config.databricks import DatabricksSettings
from lending_club_pipeline.config.environment import temporary_environment
from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.errors import PipelineError, WarehouseError
from lending_club_pipeline.contract.extras import require_extra
from lending_club_pipeline.contract.preflight_results import PreflightResult
from lending_club_pipeline.contract.tables import ExpectedTable
from lending_club_pipeline.files.locks import exclusive_lock
from lending_club_pipeline.secret_stores.reading import forget_secrets
from lending_club_pipeline.warehouse import approvals
from lending_club_pipeline.warehouse.databricks import errors, result_files
from lending_club_pipeline.warehouse.databricks.catalog import Catalog
from lending_club_pipeline.warehouse.databricks.connections import (
    network_variables,
    tags_of,
    with_secrets,
)
from lending_club_pipeline.warehouse.databricks.leases import Lease
from lending_club_pipeline.warehouse.databricks.loader import Loader
from lending_club_pipeline.warehouse.databricks.preflight import Preflight
from lending_club_pipeline.warehouse.databricks.raw_tables import TIMESTAMP, RawSchema
from lending_club_pipeline.warehouse.databricks.serving import ServingTable
from lending_club_pipeline.warehouse.databricks.statements import StatementSession, quoted, text
from lending_club_pipeline.warehouse.day_tables import KEY, DayTable, dates_listed
from lending_club_pipeline.warehouse.protocol import FileFormat

if TYPE_CHECKING:
    # Takes 0.1 s to import; a run on DuckDB does not need it.
    import pyarrow as pa

# Python, Dagster, dbt and the connector take much memory; the engine that splits and writes needs
# little.
_LOCAL_MEMORY_BYTES: Final = 256 * 2**20


@dataclass
class DatabricksWarehouse:
    """See `Warehouse`; here for Databricks SQL.

    Attributes:
        address: the SQL warehouse, the sign-in, and the table for readers.
        staging: local folder for the files that are uploaded, and for the lock of this machine.
        threads: threads of the engine that writes them; None means all cores.
        lock_wait_seconds: how long a session waits for another run of this machine to end.
    """

    address: DatabricksSettings
    staging: Path
    threads: int | None = None
    lock_wait_seconds: float = 0.0
    _open: StatementSession | None = field(default=None, repr=False)
    _catalog: Catalog | None = field(default=None, repr=False)
    _lease: Lease | None = field(default=None, repr=False)
    _run_id: str = field(default="", repr=False)

    engine: str = "databricks"

    @classmethod
    def from_settings(cls, settings: DataPlatformConfig) -> "DatabricksWarehouse":
        """Make the warehouse that the settings describe; nothing is opened yet.

        Raises:
            ConfigurationError: the packages that it needs are not installed.
        """
        require_extra("databricks", "DATABASE_TYPE=databricks")
        return cls(
            settings.databricks,
            settings.landing,
            settings.duckdb.threads,
            settings.engine.lock_wait_seconds,
        )

    @property
    def location(self) -> str:
        """Return host, catalog and schema."""
        return str(self.address)

    @property
    def schema(self) -> RawSchema:
        """Where the raw tables and the volume are."""
        return RawSchema(self.address.catalog, self.address.schema_name, self.address.volume)

    @contextmanager
    def session(self, *, read_only: bool = False, run_id: str = "") -> Iterator[None]:
        """Connect to the SQL warehouse; see `Warehouse.session`."""
        if read_only:
            with self._connected(run_id):
                yield
            return
        # A secret that was rotated takes effect with the next run.
        forget_secrets()
        lock = exclusive_lock(self.staging / ".databricks.lock", self.lock_wait_seconds)
        with lock, self._connected(run_id), self._leased(run_id):
            yield

    @contextmanager
    def _leased(self, run_id: str) -> Iterator[None]:
        """Keep runs of other machines out, which do not see the lock file."""
        renewing = StatementSession(self.address, run_id)
        lease = Lease(self.statements, renewing, self.lock_wait_seconds)
        with lease.held():
            self.statements.before_each = lease.ensure
            self._lease = lease
            try:
                yield
            finally:
                self._lease = None

    @contextmanager
    def _trusted(self) -> Iterator[None]:
        """Let the SDK, which signs principals in, use the connector's certificates and proxy."""
        with temporary_environment(network_variables(self.address)):
            yield

    @contextmanager
    def _connected(self, run_id: str) -> Iterator[None]:
        self._run_id = run_id
        session = StatementSession(self.address, run_id, self.staging)
        with self._trusted():
            session.open()
            self._open = session
            try:
                yield
            finally:
                self._open = self._catalog = None
                session.close()

    @property
    def statements(self) -> StatementSession:
        """The open session.

        Raises:
            WarehouseError: no session is open.
        """
        if self._open is None:
            raise WarehouseError(f"{self.location}: no session is open. Use it in a session.")
        return self._open

    @property
    def catalog(self) -> Catalog:
        """The tables of the schema, queried once in a session.

        Raises:
            WarehouseError: no session is open.
        """
        if self._catalog is None:
            self._catalog = Catalog(self.statements, self.address.catalog, self.address.schema_name)
        return self._catalog

    def preflight(self) -> Iterator[PreflightResult]:
        """Check each step of the connection; see `Warehouse.preflight`."""
        # Without catalog and schema, so that a wrong one does not fail the earlier steps.
        anywhere = self.address.model_copy(update={"catalog": "", "schema_name": ""})
        session = StatementSession(anywhere, "")
        with self._trusted():
            yield from Preflight(self.address, session).results()

    def load_raw(self, landing: Path, as_of_date: dt.date, *, force: bool = False) -> None:
        """Upload a landed day and replace it in the raw tables; see `Warehouse.load_raw`."""
        landed = landing / f"as_of_date={as_of_date.isoformat()}"
        self._loader.load(landed, as_of_date, force=force)

    @property
    def _loader(self) -> Loader:
        return Loader(
            self.statements,
            self.schema,
            self.staging,
            _LOCAL_MEMORY_BYTES,
            self.threads,
            self.catalog,
        )

    def check_tables(self, expected: Sequence[ExpectedTable]) -> None:
        """Compare tables with the columns that dbt writes; see `Warehouse.check_tables`."""
        self.catalog.check(expected)

    def record_approval(self, approval: approvals.Approval) -> None:
        """Add an approval; see `Warehouse.record_approval`."""
        self.statements.run(approvals.insertion(self.schema.approvals, approval, TIMESTAMP, text))

    def read_days(
        self, table: DayTable, dates: Sequence[dt.date] | None = None
    ) -> list[dict[str, Any]]:
        """Return the rows of a table of days; see `Warehouse.read_days`."""
        if dates == []:
            return []
        only = "" if dates is None else f"where {KEY} in ({dates_listed(dates)})"
        try:
            return self.fetch(f"select * from {self._named(table)} {only} order by all")
        except WarehouseError as error:
            if errors.is_missing(error):
                return []
            raise

    def replace_days(
        self, table: DayTable, dates: Sequence[dt.date], rows: Sequence[Mapping[str, Any]]
    ) -> None:
        """Replace the rows by one statement; see `Warehouse.replace_days`."""
        chosen = f"{KEY} in ({dates_listed(dates)})"
        statement = (
            f"insert into {self._named(table)} by name replace where {chosen} "
            f"{table.values(rows, TIMESTAMP, text)}"
            if rows
            else f"delete from {self._named(table)} where {chosen}"
        )
        if self._catalog is not None and not self._catalog.has(table.name):
            self._create(table)
        try:
            self.statements.run(statement)
        except WarehouseError as error:
            if errors.is_missing(error):
                self._create(table)
            elif not self._add_columns(table):
                raise
            self.statements.run(statement)

    def _create(self, table: DayTable) -> None:
        """Make a table of days, in the very first run. The lease has made the schema."""
        self.statements.run(
            f"{table.creation(self._named(table), TIMESTAMP)} using delta "
            f"comment {text(table.comment)}"
        )
        self.catalog.add([table.name])

    def _add_columns(self, table: DayTable) -> bool:
        """Add the columns that an older version did not have; return whether there were any."""
        rows = self.fetch(
            "select column_name from information_schema.columns "
            f"where table_schema = current_schema() and table_name = {text(table.name)}"
        )
        there = {row["column_name"] for row in rows}
        new = [f"{it} {type_}" for it, type_ in table.types(TIMESTAMP).items() if it not in there]
        if new:
            self.statements.run(f"alter table {self._named(table)} add columns ({', '.join(new)})")
        return bool(new)

    def _named(self, table: DayTable) -> str:
        return quoted(self.address.catalog, self.address.schema_name, table.name)

    def relations(self) -> set[str]:
        """Return the names of tables and views; see `Warehouse.relations`."""
        rows = self.fetch(
            "select table_name from information_schema.tables where table_schema = current_schema()"
        )
        return {row["table_name"] for row in rows}

    def drop_days(self, dates: Sequence[dt.date]) -> None:
        """Delete date by date, statement by statement; see `Warehouse.drop_days`."""
        for date in dates:
            self._loader.drop(date)

    def dbt_environment(self) -> Mapping[str, str]:
        """Return the variables that `dbt/profiles.yml` reads for this target.

        To read its project, dbt needs no secret; to build, it does.
        """
        address = self.address if self._open is None else with_secrets(self.address)
        given = {
            **address.as_environment(),
            "DATABASE_TYPE": "databricks",
            "DBT_TARGET": "databricks",
            "DATABRICKS_READERS": ",".join(address.reader_names),
            "DATABRICKS_RUN_ID": tags_of(self._run_id)["run_id"],
            # As for our own connections: it warns of retries that we want.
            "DBT_DATABRICKS_CONNECTOR_LOG_LEVEL": "CRITICAL",
        }
        given |= network_variables(address)
        return {name: value for name, value in given.items() if value}

    def disconnect_dbt(self) -> None:
        """Do nothing: dbt-databricks closes its own connections."""

    @property
    def retry_seconds(self) -> float:
        """Return the setting DATABRICKS_RETRY_SECONDS."""
        return self.address.retry_seconds

    def is_transient(self, message: str) -> bool:
        """Whether dbt reports a transient error."""
        return errors.is_transient_message(message)

    def fetch(self, query: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Return a small result, one mapping per row."""
        return self.statements.fetch(query, parameters)

    @contextmanager
    def stream(self, query: str) -> Iterator["pa.RecordBatchReader"]:
        """Return a result of any size as a stream of Arrow batches."""
        try:
            with self.statements.batches(query) as reader:
                yield reader
        except PipelineError:
            raise
        except Exception as error:
            if not errors.is_of_the_connector(error):
                raise
            raise errors.explained(error, self.address) from error

    @property
    def serves_readers(self) -> bool:
        """Whether there is a table for readers: yes."""
        return True

    def serving(self) -> ServingTable:
        """Return the table that readers use."""
        mart = (self.address.catalog, self.address.schema_name, "account_summary")
        place = self.address.serving_place[:2]
        is_here = place == (self.address.catalog, self.address.schema_name)
        catalog = self.catalog if is_here else Catalog(self.statements, *place)
        return ServingTable(
            self.statements,
            catalog,
            mart,
            self.address.serving_place,
            self.address.reader_names,
            self.address.history_days,
            self._lease,
        )

    def is_stored_in_order(self, table: str, key: str) -> bool:  # noqa: ARG002 - for DuckDB
        """Return False: a Delta table has no order."""
        return False

    def convert_to_csv(self, parquet: Path, target: Path) -> int:
        """Write a Parquet file as CSV; see `Warehouse.convert_to_csv`."""
        return result_files.write_file(parquet, target, "csv")

    def copy_to_file(self, query: str, target: Path, file_format: FileFormat) -> int:
        """Stream a result into a file; return the number of rows."""
        return result_files.write_result(self.statements, query, target, file_format)
