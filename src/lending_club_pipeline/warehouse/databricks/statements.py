"""A session of a SQL warehouse that retries statements after transient errors.

Every statement of this project may be sent twice: it creates if not exists, replaces, overwrites
or reads. So a statement whose reply was lost is sent again.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from lending_club_pipeline.config.databricks import DatabricksSettings
from lending_club_pipeline.contract.errors import PipelineError
from lending_club_pipeline.warehouse.databricks import errors
from lending_club_pipeline.warehouse.databricks.connections import connect

if TYPE_CHECKING:
    import pyarrow as pa

_Result = TypeVar("_Result")
_LOG: Final = logging.getLogger(__name__)
# A sixth of a row group of 122,880 rows, so that row groups are as full as those of a table.
_BATCH_ROWS: Final = 20_480
# Size of a fetched page; the connector's default would take a hundred megabytes.
_PAGE_BYTES: Final = 8 * 2**20
_FIRST_WAIT_SECONDS: Final = 0.5
_LONGEST_WAIT_SECONDS: Final = 30.0
_JITTER_SECONDS: Final = 1.0


def quoted(*names: str) -> str:
    """Return a qualified name, quoted."""
    return ".".join(f"`{name}`" for name in names)


def text(value: object) -> str:
    """Return a value as a text literal that no escape sequence can change."""
    escaped = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


@dataclass
class StatementSession:
    """One session of a SQL warehouse, opened again when it is lost.

    Attributes:
        address: the SQL warehouse.
        run_id: Dagster's id of the run, for the tags of its statements.
        staging: the only local folder from which files may be uploaded.
        before_each: called before each statement; if it raises, the statement is not sent.
    """

    address: DatabricksSettings
    run_id: str
    staging: Path | None = None
    before_each: Callable[[], None] | None = field(default=None, repr=False)
    _connection: Any = field(default=None, repr=False)

    def open(self) -> None:
        """Connect, so that a wrong setting is found before any work.

        Raises:
            WarehouseError: there is no connection.
        """
        self.attempt(self._connected)

    def close(self) -> None:
        """End the session; a lost session is not an error."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except Exception as error:  # noqa: BLE001 - there is nothing left to save
                _LOG.debug("the session was lost before it was closed: %s", type(error).__name__)

    def fetch(self, statement: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Run a statement and return its small result, one mapping per row.

        Raises:
            WarehouseError: it failed; a transient error was retried before.
        """

        def run() -> list[dict[str, Any]]:
            with self._cursor() as cursor:
                cursor.execute(statement, list(parameters) or None)
                names = [column[0] for column in cursor.description or ()]
                return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

        return self.attempt(run)

    def fetch_column(self, statement: str, name: str) -> list[Any]:
        """Run a statement and return one column of its small result.

        It reads only this column: for some types of other columns, Arrow would need pandas.

        Raises:
            WarehouseError: it failed; a transient error was retried before.
        """

        def run() -> list[Any]:
            with self._cursor() as cursor:
                cursor.execute(statement)
                values: list[Any] = cursor.fetchall_arrow().column(name).to_pylist()
                return values

        return self.attempt(run)

    def run(self, statement: str) -> None:
        """Run a statement and ignore its result.

        Raises:
            WarehouseError: it failed; a transient error was retried before.
        """

        def run() -> None:
            with self._cursor() as cursor:
                cursor.execute(statement)

        self.attempt(run)

    @contextmanager
    def batches(self, statement: str) -> Iterator["pa.RecordBatchReader"]:
        """Return a result of any size as a stream; the caller retries, as it has the batches."""
        import pyarrow as pa  # noqa: PLC0415 - takes 0.1 s to import

        with self._cursor() as cursor:
            cursor.execute(statement)
            first = cursor.fetchmany_arrow(_BATCH_ROWS)
            yield pa.RecordBatchReader.from_batches(first.schema, _rest(cursor, first))

    def attempt(self, action: Callable[[], _Result]) -> _Result:
        """Call a function; retry it with growing pauses while its errors are transient.

        Raises:
            WarehouseError: an error is permanent, or lasted longer than DATABRICKS_RETRY_SECONDS.
        """
        from tenacity import (  # noqa: PLC0415 - an extra, needed in production only
            Retrying,
            retry_if_exception,
            wait_exponential,
            wait_random,
        )

        retrying = Retrying(
            retry=retry_if_exception(errors.is_transient),
            wait=wait_exponential(_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS)
            + wait_random(0, _JITTER_SECONDS),
            stop=_after(self.address.retry_seconds),
            before_sleep=lambda _: self.close(),
            reraise=True,
        )
        try:
            return retrying(action)
        except PipelineError:
            raise
        except Exception as error:
            raise errors.explained(error, self.address) from error

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        if self.before_each is not None:
            self.before_each()
        with self._connected().cursor(
            arraysize=_BATCH_ROWS, buffer_size_bytes=_PAGE_BYTES
        ) as cursor:
            yield cursor

    def _connected(self) -> Any:  # noqa: ANN401 - the connector is an extra
        if self._connection is None:
            self._connection = connect(self.address, self.run_id, self.staging)
        return self._connection


def _after(seconds: float) -> Callable[[object], bool]:
    """Stop retrying some seconds after the first failure, which may come after hours."""
    failures: list[float] = []

    def is_over(_: object) -> bool:
        failures.append(time.monotonic())
        return failures[-1] - failures[0] >= seconds

    return is_over


def _rest(cursor: Any, first: "pa.Table") -> Iterator["pa.RecordBatch"]:  # noqa: ANN401 - of an extra
    table = first
    while table.num_rows:
        yield from table.to_batches()
        table = cursor.fetchmany_arrow(_BATCH_ROWS)
