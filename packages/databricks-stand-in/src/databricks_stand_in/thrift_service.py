"""The Thrift service that the SQL connector calls."""

from typing import Any, Final

from databricks.sql.thrift_api.TCLIService import ttypes

from databricks_stand_in.errors import StatementError, no_such_catalog
from databricks_stand_in.faults import ConnectionCutError, Fault
from databricks_stand_in.listings import Listings
from databricks_stand_in.operations import SUCCESS, Operation, State, invalid
from databricks_stand_in.parameters import bound, received
from databricks_stand_in.registers import Ran
from databricks_stand_in.results import Result
from databricks_stand_in.sessions import Session, parse_tags

# What a SQL warehouse answers to a client that asks for V7.
_PROTOCOL: Final = ttypes.TProtocolVersion.SPARK_CLI_SERVICE_PROTOCOL_V9
_MAX_ROWS, _MAX_BYTES = 100_000, 100 * 2**20
_NOT_RUNNING: Final = frozenset({State.FINISHED_STATE, State.CLOSED_STATE})


class Handler(Listings):
    """Answers the requests of a client."""

    # --- sessions

    def OpenSession(self, req: Any) -> Any:
        """Open a session in a catalog and a schema, which may come later."""
        namespace = req.initialNamespace
        catalog = (namespace and namespace.catalogName) or self._service.name
        session = Session(self._service.spark.newSession(), self._client)
        session.schema = ((namespace and namespace.schemaName) or "default").lower()
        try:
            self._require_catalog(catalog)
            for name, value in (req.configuration or {}).items():
                session.configure(name, value)
        except StatementError as error:
            return ttypes.TOpenSessionResp(status=_failed(error), serverProtocolVersion=_PROTOCOL)
        self._service.sessions[session.guid] = session
        identifier = ttypes.THandleIdentifier(guid=session.guid, secret=b"stand-in-secret!")
        return ttypes.TOpenSessionResp(
            status=SUCCESS,
            serverProtocolVersion=_PROTOCOL,
            sessionHandle=ttypes.TSessionHandle(
                sessionId=identifier, serverProtocolVersion=_PROTOCOL
            ),
            initialNamespace=namespace,
            canUseMultipleCatalogs=True,
        )

    def _require_catalog(self, catalog: str) -> None:
        if catalog.lower() != self._service.name:
            raise no_such_catalog(catalog)

    def CloseSession(self, req: Any) -> Any:
        """Close a session and all of its operations."""
        session = self._session(req)
        if session is None:
            return ttypes.TCloseSessionResp(status=invalid("Invalid SessionHandle"))
        del self._service.sessions[session.guid]
        for operation in list(self._service.operations.values()):
            if operation.session is session:
                self._close(operation)
        return ttypes.TCloseSessionResp(status=SUCCESS)

    # --- statements

    def ExecuteStatement(self, req: Any) -> Any:
        """Run a statement."""
        session = self._session(req)
        if session is None:
            text = f"Invalid SessionHandle: {req.sessionHandle.sessionId.guid.hex()}"
            return ttypes.TExecuteStatementResp(status=invalid(text))
        tags = dict(session.tags) | parse_tags((req.confOverlay or {}).get("query_tags", ""))
        settings = dict(session.settings)
        given = received(req.parameters)
        ran = Ran(req.statement, given, self._client, session.name, tags, settings)
        self._service.log.add(ran)
        fault = self._service.faults.at_statement(self._client, req.statement)
        operation = Operation(session, ran)
        self._service.operations[operation.guid] = operation
        if fault is not None and fault.kind == "kill" and not fault.after:
            fault.strike()
            raise ConnectionCutError
        operation.start(self._service.pool, lambda: self._run(session, ran, fault))
        if fault is not None and fault.kind in {"lose_reply", "kill"}:
            operation.wait(None)
            if fault.kind == "kill":
                fault.strike()
            raise ConnectionCutError
        if fault is not None and fault.kind == "freeze":
            operation.wait(None)
            fault.strike()
        return self._answer(ttypes.TExecuteStatementResp, operation, req)

    def _run(self, session: Session, ran: Ran, fault: Fault | None) -> Result:
        if fault is not None and fault.kind == "fail":
            raise StatementError(fault.condition, fault.state, fault.message)
        return self._service.statements.run(session, ran.text, bound(ran.parameters))

    # --- operations

    def GetOperationStatus(self, req: Any) -> Any:
        """Say how a statement stands; waits a little for it."""
        operation = self._operation(req)
        if operation is None:
            return ttypes.TGetOperationStatusResp(status=invalid("Invalid OperationHandle"))
        operation.wait()
        return operation.status()

    def GetResultSetMetadata(self, req: Any) -> Any:
        """Describe the columns of a result."""
        operation = self._operation(req)
        if operation is None or operation.result is None:
            return ttypes.TGetResultSetMetadataResp(status=invalid("Invalid OperationHandle"))
        return operation.result.metadata()

    def FetchResults(self, req: Any) -> Any:
        """Return the next page of a result."""
        operation = self._operation(req)
        if operation is None or operation.state not in _NOT_RUNNING:
            return ttypes.TFetchResultsResp(status=invalid("Invalid OperationHandle"))
        return operation.fetch(req.maxRows or _MAX_ROWS, req.maxBytes or _MAX_BYTES)

    def CancelOperation(self, req: Any) -> Any:
        """Stop a statement."""
        operation = self._operation(req)
        if operation is None:
            return ttypes.TCancelOperationResp(status=invalid("Invalid OperationHandle"))
        operation.cancel()
        return ttypes.TCancelOperationResp(status=SUCCESS)

    def CloseOperation(self, req: Any) -> Any:
        """Forget a statement and its result."""
        operation = self._operation(req)
        if operation is None:
            return ttypes.TCloseOperationResp(status=invalid("Invalid OperationHandle"))
        self._close(operation)
        return ttypes.TCloseOperationResp(status=SUCCESS)


def _failed(error: StatementError) -> ttypes.TStatus:
    return ttypes.TStatus(
        statusCode=ttypes.TStatusCode.ERROR_STATUS,
        errorMessage=error.message,
        displayMessage=error.message,
        sqlState=error.state,
    )
