"""The Thrift service that the SQL connector calls."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa
from databricks.sql.thrift_api.TCLIService import ttypes
from pyspark.sql import SparkSession

from tests.databricks.stand_in.catalogs import Catalog, real_type
from tests.databricks.stand_in.errors import StatementError
from tests.databricks.stand_in.faults import ConnectionCutError, Fault, Faults
from tests.databricks.stand_in.operations import SUCCESS, Operation, State, invalid
from tests.databricks.stand_in.registers import Ran, StatementLog
from tests.databricks.stand_in.results import Result
from tests.databricks.stand_in.sessions import Session, parse_tags
from tests.databricks.stand_in.statements import Statements, bound

# What a SQL warehouse answers to a client that asks for V7.
_PROTOCOL: Final = ttypes.TProtocolVersion.SPARK_CLI_SERVICE_PROTOCOL_V9
_MAX_ROWS, _MAX_BYTES = 100_000, 100 * 2**20
_NOT_RUNNING: Final = frozenset({State.FINISHED_STATE, State.CLOSED_STATE})


@dataclass
class Service:
    """What all requests share.

    Attributes:
        name: the catalog's name.
        spark: parent of all sessions.
        catalog: what is stored.
        statements: runs them.
        log: lists them.
        faults: those switched on.
    """

    name: str
    spark: SparkSession
    catalog: Catalog
    statements: Statements
    log: StatementLog
    faults: Faults
    sessions: dict[bytes, Session] = field(default_factory=dict)
    operations: dict[bytes, Operation] = field(default_factory=dict)
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(16))


class Handler:
    """Answers one request of one client.

    Args:
        service: what all requests share.
        client: owner of the token.
    """

    def __init__(self, service: Service, client: str) -> None:
        self._service, self._client = service, client

    # --- sessions

    def OpenSession(self, req: Any) -> Any:  # noqa: N802 - names of Thrift
        """Open a session in a catalog and a schema, which may come later."""
        namespace = req.initialNamespace
        catalog = (namespace and namespace.catalogName) or self._service.name
        session = Session(self._service.spark.newSession(), self._client)
        session.schema = ((namespace and namespace.schemaName) or "default").lower()
        try:
            if catalog.lower() != self._service.name:
                text = f"Catalog '{catalog}' was not found. Please verify the spelling."
                raise StatementError("NO_SUCH_CATALOG_EXCEPTION", "42704", text)
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

    def CloseSession(self, req: Any) -> Any:  # noqa: N802
        """Close a session and all of its operations."""
        session = self._session(req)
        if session is None:
            return ttypes.TCloseSessionResp(status=invalid("Invalid SessionHandle"))
        del self._service.sessions[session.guid]
        for operation in list(self._service.operations.values()):
            if operation.session is session:
                self._close(operation)
        return ttypes.TCloseSessionResp(status=SUCCESS)

    def _session(self, req: Any) -> Session | None:
        session = self._service.sessions.get(req.sessionHandle.sessionId.guid)
        return session if session and session.client == self._client else None

    # --- statements

    def ExecuteStatement(self, req: Any) -> Any:  # noqa: N802
        """Run a statement."""
        session = self._session(req)
        if session is None:
            text = f"Invalid SessionHandle: {req.sessionHandle.sessionId.guid.hex()}"
            return ttypes.TExecuteStatementResp(status=invalid(text))
        tags = dict(session.tags) | parse_tags((req.confOverlay or {}).get("query_tags", ""))
        settings = dict(session.settings)
        ran = Ran(req.statement, self._client, session.name, tags, settings)
        self._service.log.add(ran)
        fault = self._service.faults.at_statement(self._client, req.statement)
        operation = Operation(session, ran)
        self._service.operations[operation.guid] = operation
        if fault is not None and fault.kind == "kill" and not fault.after:
            fault.kill()
            raise ConnectionCutError
        operation.start(self._service.pool, lambda: self._run(session, req, fault))
        if fault is not None and fault.kind in {"lose_reply", "kill"}:
            operation.wait(None)
            if fault.kind == "kill":
                fault.kill()
            raise ConnectionCutError
        return self._answer(ttypes.TExecuteStatementResp, operation, req)

    def _run(self, session: Session, req: Any, fault: Fault | None) -> Result:
        if fault is not None and fault.kind == "fail":
            raise StatementError(fault.condition, fault.state, fault.message)
        return self._service.statements.run(session, req.statement, bound(req.parameters or []))

    def _answer(self, answer: Callable[..., Any], operation: Operation, req: Any) -> Any:
        """Return the handle, and the first page of the result if the client asks for it."""
        direct = None
        if req.getDirectResults is not None:
            operation.wait()
            direct = ttypes.TSparkDirectResults(operationStatus=operation.status())
            if operation.state == State.FINISHED_STATE and operation.result is not None:
                direct.resultSetMetadata = operation.result.metadata()
                wanted = req.getDirectResults
                direct.resultSet = operation.fetch(wanted.maxRows, wanted.maxBytes)
                if not direct.resultSet.hasMoreRows:
                    direct.closeOperation = ttypes.TCloseOperationResp(status=SUCCESS)
                    self._close(operation)
        return answer(status=SUCCESS, operationHandle=operation.handle, directResults=direct)

    # --- operations

    def _operation(self, req: Any) -> Operation | None:
        operation = self._service.operations.get(req.operationHandle.operationId.guid)
        return operation if operation and operation.session.client == self._client else None

    def GetOperationStatus(self, req: Any) -> Any:  # noqa: N802
        """Say how a statement stands; waits a little for it."""
        operation = self._operation(req)
        if operation is None:
            return ttypes.TGetOperationStatusResp(status=invalid("Invalid OperationHandle"))
        operation.wait()
        return operation.status()

    def GetResultSetMetadata(self, req: Any) -> Any:  # noqa: N802
        """Describe the columns of a result."""
        operation = self._operation(req)
        if operation is None or operation.result is None:
            return ttypes.TGetResultSetMetadataResp(status=invalid("Invalid OperationHandle"))
        return operation.result.metadata()

    def FetchResults(self, req: Any) -> Any:  # noqa: N802
        """Return the next page of a result."""
        operation = self._operation(req)
        if operation is None or operation.state not in _NOT_RUNNING:
            return ttypes.TFetchResultsResp(status=invalid("Invalid OperationHandle"))
        return operation.fetch(req.maxRows or _MAX_ROWS, req.maxBytes or _MAX_BYTES)

    def CancelOperation(self, req: Any) -> Any:  # noqa: N802
        """Stop a statement."""
        operation = self._operation(req)
        if operation is None:
            return ttypes.TCancelOperationResp(status=invalid("Invalid OperationHandle"))
        operation.cancel()
        return ttypes.TCancelOperationResp(status=SUCCESS)

    def CloseOperation(self, req: Any) -> Any:  # noqa: N802
        """Forget a statement and its result."""
        operation = self._operation(req)
        if operation is None:
            return ttypes.TCloseOperationResp(status=invalid("Invalid OperationHandle"))
        self._close(operation)
        return ttypes.TCloseOperationResp(status=SUCCESS)

    def _close(self, operation: Operation) -> None:
        self._service.operations.pop(operation.guid, None)
        operation.close()

    # --- metadata

    def GetCatalogs(self, req: Any) -> Any:  # noqa: N802
        """List the catalogs."""
        return self._listed(ttypes.TGetCatalogsResp, req, {"TABLE_CAT": [self._service.name]})

    def GetSchemas(self, req: Any) -> Any:  # noqa: N802
        """List schemas."""
        names = [n for n in self._catalog_schemas(req) if _like(n, req.schemaName)]
        catalogs = [self._service.name] * len(names)
        columns = {"TABLE_SCHEM": names, "TABLE_CATALOG": catalogs}
        return self._listed(ttypes.TGetSchemasResp, req, columns)

    def GetTables(self, req: Any) -> Any:  # noqa: N802
        """List tables and views."""
        kinds = {kind.upper() for kind in req.tableTypes or ["TABLE", "VIEW"]}
        rows = [
            (self._service.name, r.schema, r.name, kind, r.table_comment or "")
            for r in self._relations(req)
            if (kind := "VIEW" if r.kind == "VIEW" else "TABLE") in kinds
        ]
        names = ("TABLE_CAT", "TABLE_SCHEM", "TABLE_NAME", "TABLE_TYPE", "REMARKS")
        return self._listed(ttypes.TGetTablesResp, req, _columns(names, rows))

    def GetColumns(self, req: Any) -> Any:  # noqa: N802
        """List columns."""
        rows = [
            (
                *(self._service.name, relation.schema, relation.name, field.name),
                *(real_type(field).simpleString().upper(), place, field.nullable),
                field.metadata.get("comment", ""),
            )
            for relation in self._relations(req)
            for place, field in enumerate(relation.columns.fields)
            if _like(field.name, req.columnName)
        ]
        rows = [(*row[:6], "YES" if row[6] else "NO", row[7]) for row in rows]
        names = (
            *("TABLE_CAT", "TABLE_SCHEM", "TABLE_NAME", "COLUMN_NAME"),
            *("TYPE_NAME", "ORDINAL_POSITION", "IS_NULLABLE", "REMARKS"),
        )
        return self._listed(ttypes.TGetColumnsResp, req, _columns(names, rows))

    def _catalog_schemas(self, req: Any) -> list[str]:
        is_ours = (req.catalogName or self._service.name).lower() == self._service.name
        return self._service.catalog.schemas() if is_ours else []

    def _relations(self, req: Any) -> list[Any]:
        schemas = [s for s in self._catalog_schemas(req) if _like(s, req.schemaName)]
        relations = [r for s in schemas for r in self._service.catalog.relations(s)]
        return [r for r in relations if _like(r.name, req.tableName)]

    def _listed(self, answer: Callable[..., Any], req: Any, columns: dict[str, list[Any]]) -> Any:
        session = self._session(req)
        if session is None:
            return answer(status=invalid("Invalid SessionHandle"))
        kinds = {
            name: pa.int32() if name.startswith("ORDINAL") else pa.string() for name in columns
        }
        arrays = {name: pa.array(values, kinds[name]) for name, values in columns.items()}
        operation = Operation(session)
        operation.answer(Result.of_table(pa.table(arrays)))
        self._service.operations[operation.guid] = operation
        return self._answer(answer, operation, req)


def _columns(names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


def _like(name: str, pattern: str | None) -> bool:
    """Match a pattern of JDBC: `%` is any text, `_` any character."""
    if not pattern:
        return True
    escaped = "".join({"%": ".*", "*": ".*", "_": "."}.get(c, re.escape(c)) for c in pattern)
    return re.fullmatch(escaped, name, re.IGNORECASE) is not None


def _failed(error: StatementError) -> ttypes.TStatus:
    return ttypes.TStatus(
        statusCode=ttypes.TStatusCode.ERROR_STATUS,
        errorMessage=error.message,
        displayMessage=error.message,
        sqlState=error.state,
    )
