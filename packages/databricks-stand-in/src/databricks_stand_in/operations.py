"""Operations: a statement that runs in the background until its whole result is there."""

import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from databricks.sql.thrift_api.TCLIService import ttypes

from databricks_stand_in.errors import StatementError
from databricks_stand_in.registers import Ran
from databricks_stand_in.results import Result
from databricks_stand_in.sessions import Session

State = ttypes.TOperationState
SUCCESS: Final = ttypes.TStatus(statusCode=ttypes.TStatusCode.SUCCESS_STATUS)

# The states to which work changes, as the query history names them.
_IN_HISTORY: Final = {
    State.RUNNING_STATE: "RUNNING",
    State.FINISHED_STATE: "FINISHED",
    State.ERROR_STATE: "FAILED",
    State.CANCELED_STATE: "CANCELED",
}
# How long a request waits for a statement before it answers that it still runs.
_PATIENCE_SECONDS: Final = 5.0


class Operation:
    """What a client waits for.

    Args:
        session: where it runs.
        ran: its line in the list of statements.
    """

    def __init__(self, session: Session, ran: Ran | None = None) -> None:
        self.session, self.ran = session, ran
        self.guid = uuid.uuid4().bytes
        self.state: int = State.PENDING_STATE
        self.result: Result | None = None
        self.error: StatementError | None = None
        self.position = 0
        self._future: Future[None] | None = None
        if ran is not None:
            ran.id = self.name
        self._changing = threading.Lock()

    @property
    def name(self) -> str:
        """The identifier as clients show it."""
        return str(uuid.UUID(bytes=self.guid))

    @property
    def handle(self) -> ttypes.TOperationHandle:
        """What the client refers to it by."""
        return ttypes.TOperationHandle(
            operationId=ttypes.THandleIdentifier(guid=self.guid, secret=b"stand-in-secret!"),
            operationType=ttypes.TOperationType.EXECUTE_STATEMENT,
            hasResultSet=True,
        )

    def start(self, pool: ThreadPoolExecutor, work: Callable[[], Result]) -> None:
        """Begin to work in the background."""
        self._future = pool.submit(self._work, work)

    def answer(self, result: Result) -> None:
        """Be done at once."""
        self.result, self.state = result, State.FINISHED_STATE

    def _change(self, to: int, *before: int) -> bool:
        """Change the state if it is one of some, and say whether it was."""
        with self._changing:
            if self.state not in before:
                return False
            self.state = to
            if self.ran is not None:
                self.ran.status = _IN_HISTORY[to]
            return True

    def _work(self, work: Callable[[], Result]) -> None:
        context = self.session.spark.sparkContext
        timeout = self.session.settings.get("statement_timeout")
        timer = threading.Timer(float(timeout), self.cancel) if timeout else None
        with self.session.running:
            if not self._change(State.RUNNING_STATE, State.PENDING_STATE):
                return
            context.setJobGroup(self.name, "statement", interruptOnCancel=True)
            started = time.monotonic()
            if timer:
                timer.start()
            try:
                result = work()
            except StatementError as error:
                self._fail(error)
            else:
                self._finish(result)
            finally:
                if timer:
                    timer.cancel()
                if self.ran is not None:
                    self.ran.seconds = time.monotonic() - started

    def _finish(self, result: Result) -> None:
        self.result = result
        if self.ran is not None:
            self.ran.rows = result.rows
        self._change(State.FINISHED_STATE, State.RUNNING_STATE)

    def _fail(self, error: StatementError) -> None:
        if self.ran is not None:
            self.ran.error = error.message
        self.error = error
        self._change(State.ERROR_STATE, State.RUNNING_STATE)

    def wait(self, seconds: float | None = _PATIENCE_SECONDS) -> None:
        """Wait until it is over, but not longer than some seconds."""
        if self._future is not None:
            try:
                self._future.result(timeout=seconds)
            except TimeoutError:
                return

    def cancel(self) -> None:
        """Stop the work, of which Spark may not have begun anything yet."""
        if self._change(State.CANCELED_STATE, State.PENDING_STATE, State.RUNNING_STATE):
            context = self.session.spark.sparkContext
            context._jsc.sc().cancelJobGroupAndFutureJobs(self.name)

    def close(self) -> None:
        """Stop the work and give the result back."""
        self.cancel()
        self.wait()
        self.state = State.CLOSED_STATE
        if self.result is not None:
            self.result.close()

    def status(self) -> ttypes.TGetOperationStatusResp:
        """Return how it stands."""
        error = self.error if self.state == State.ERROR_STATE else None
        answer = ttypes.TGetOperationStatusResp(
            status=SUCCESS, operationState=self.state, hasResultSet=self.result is not None
        )
        if error is not None:
            answer.sqlState, answer.errorCode = error.state, 0
            answer.errorMessage = answer.displayMessage = error.message
            answer.diagnosticInfo = (
                "org.apache.hive.service.cli.HiveSQLException: Error running query: "
                f"{error.message}"
            )
        if self.state == State.FINISHED_STATE:
            answer.numModifiedRows = self._modified_rows()
        return answer

    def _modified_rows(self) -> int | None:
        if self.result is None or "num_affected_rows" not in self.result.schema.names:
            return None
        found: int | None = self.result.first_row().get("num_affected_rows")
        return found

    def fetch(self, max_rows: int, max_bytes: int) -> ttypes.TFetchResultsResp:
        """Return the next page of the result."""
        if self.result is None:
            text = "The operation has no result."
            return ttypes.TFetchResultsResp(status=invalid(text))
        start = self.position
        batches, rows = self.result.page(start, max_rows, max_bytes)
        self.position += rows
        return ttypes.TFetchResultsResp(
            status=SUCCESS,
            hasMoreRows=self.position < self.result.rows,
            results=ttypes.TRowSet(startRowOffset=start, rows=[], arrowBatches=batches),
            resultSetMetadata=self.result.metadata(),
        )


def invalid(text: str) -> ttypes.TStatus:
    """Return the status of a request that names what is not there."""
    return ttypes.TStatus(
        statusCode=ttypes.TStatusCode.INVALID_HANDLE_STATUS,
        errorMessage=text,
        displayMessage=text,
        sqlState="HY000",
    )
