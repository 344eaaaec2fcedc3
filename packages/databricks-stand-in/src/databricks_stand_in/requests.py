"""What all requests to the Thrift service share."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from databricks.sql.thrift_api.TCLIService import ttypes
from pyspark.sql import SparkSession

from databricks_stand_in.catalogs import Catalog
from databricks_stand_in.faults import Faults
from databricks_stand_in.operations import SUCCESS, Operation, State
from databricks_stand_in.registers import StatementLog
from databricks_stand_in.sessions import Session
from databricks_stand_in.statements import Statements


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


class Requests:
    """Answers one request of one client.

    Args:
        service: what all requests share.
        client: owner of the token.
    """

    def __init__(self, service: Service, client: str) -> None:
        self._service, self._client = service, client

    def _session(self, req: Any) -> Session | None:
        session = self._service.sessions.get(req.sessionHandle.sessionId.guid)
        return session if session and session.client == self._client else None

    def _operation(self, req: Any) -> Operation | None:
        operation = self._service.operations.get(req.operationHandle.operationId.guid)
        return operation if operation and operation.session.client == self._client else None

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

    def _close(self, operation: Operation) -> None:
        self._service.operations.pop(operation.guid, None)
        operation.close()
