"""HTTPS on loopback: signs clients in, passes Thrift on, moves files, shows and switches faults."""

import json
import socket
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Final

from databricks.sql.thrift_api.TCLIService import TCLIService
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.transport.TTransport import TMemoryBuffer

from databricks_stand_in import query_history
from databricks_stand_in.faults import ConnectionCutError
from databricks_stand_in.requests import Service
from databricks_stand_in.sign_in import SignIn
from databricks_stand_in.thrift_service import Handler
from databricks_stand_in.volumes import Volumes, receive

HTTP_PATH: Final = f"/sql/1.0/warehouses/{query_history.WAREHOUSE_ID}"
_REASON: Final = "X-Databricks-Reason-Phrase"
_CHUNK: Final = 2**20


class FrontDoor(ThreadingHTTPServer):
    """The server.

    Args:
        context: TLS with the server's certificate.
        port: where it listens; 0 is any free port.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, context: ssl.SSLContext, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Request)
        self.sign_in = SignIn()
        self.service: Service | None = None
        self.volumes: Volumes | None = None
        self._context = context

    @property
    def url(self) -> str:
        """Its address."""
        return f"https://localhost:{self.server_address[1]}"

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; the handshake comes later, so that nobody waits for another."""
        raw, address = super().get_request()
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wrapped = self._context.wrap_socket(raw, server_side=True, do_handshake_on_connect=False)
        return wrapped, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away; whatever else is wrong is told."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FrontDoor
    wbufsize = -1
    _routes: ClassVar[dict[tuple[str, str], str]] = {
        ("GET", "/.well-known/databricks-config"): "_discovery",
        ("GET", "/oidc/.well-known/oauth-authorization-server"): "_oauth_server",
        ("POST", "/oidc/v1/token"): "_oauth_token",
        ("POST", HTTP_PATH): "_thrift",
        ("GET", query_history.PATH): "_query_history",
        ("GET", "/statements"): "_statements",
        ("DELETE", "/statements"): "_forget_statements",
        ("GET", "/faults"): "_list_faults",
        ("POST", "/faults"): "_arm_fault",
        ("DELETE", "/faults"): "_clear_faults",
        ("POST", "/tokens"): "_issue_token",
    }
    _open: ClassVar[frozenset[str]] = frozenset({"_discovery", "_oauth_server", "_oauth_token"})

    def log_message(self, *_: object) -> None:
        """Be quiet."""

    def do_GET(self) -> None:
        self._route("GET")

    def do_POST(self) -> None:
        self._route("POST")

    def do_PUT(self) -> None:
        self._route("PUT")

    def do_DELETE(self) -> None:
        self._route("DELETE")

    def _route(self, verb: str) -> None:
        path = self.path.split("?")[0]
        if path.startswith("/transfers/"):
            self._transfer(verb, path.removeprefix("/transfers/"))
            return
        self._body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        name = self._routes.get((verb, path))
        if name is None:
            self._say(404, {"error_code": "ENDPOINT_NOT_FOUND", "message": f"No API at {path}"})
            return
        if name not in self._open:
            header = self.headers.get("Authorization")
            self._client = self.server.sign_in.owner_of(header) or ""
            if not self._client:
                self._refuse_token(401 if header is None else 403)
                return
        getattr(self, name)()

    def _refuse_token(self, status: int) -> None:
        text = "Credential was not sent." if status == 401 else "Invalid access token."
        self._say(status, {"error_code": status, "message": text}, {_REASON: text})

    def _say(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(body).encode(), "application/json", headers)

    def _send(
        self,
        status: int,
        body: bytes,
        kind: str = "application/octet-stream",
        headers: dict[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _cut(self) -> None:
        """End the connection without another word."""
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    # --- Thrift

    def _thrift(self) -> None:
        service = self.server.service
        if service is None:
            text = "TEMPORARILY_UNAVAILABLE: the SQL warehouse is starting."
            self._say(503, {"message": text}, {"Retry-After": "1", _REASON: text})
            return
        protocol = TBinaryProtocol(TMemoryBuffer(self._body))
        method = protocol.readMessageBegin()[0]
        fault = service.faults.at_request(self._client, method)
        if fault is not None and fault.kind == "expire_token":
            self._refuse_token(403)
            return
        if fault is not None:
            text = "TEMPORARILY_UNAVAILABLE" if fault.status == 503 else "REQUEST_LIMIT_EXCEEDED"
            headers = {"Retry-After": str(fault.retry_after), _REASON: text}
            self._say(fault.status, {"message": text}, headers)
            return
        answer = TMemoryBuffer()
        processor = TCLIService.Processor(Handler(service, self._client))
        try:
            processor.process(TBinaryProtocol(TMemoryBuffer(self._body)), TBinaryProtocol(answer))
        except ConnectionCutError:
            self._cut()
            return
        if method == "FetchResults" and service.faults.at_fetch(self._client):
            self._send_half(answer.getvalue())
            return
        self._send(200, answer.getvalue(), "application/x-thrift")

    def _send_half(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/x-thrift")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2])
        self._cut()

    # --- the query history

    def _query_history(self) -> None:
        """Answer even while the warehouse starts, as a real one does: nothing ran yet."""
        service = self.server.service
        ran = service.log.of(self._client) if service else []
        _, _, query = self.path.partition("?")
        try:
            page = query_history.answer(
                ran, query, lambda name: query_history.bytes_in_spark(self._shared.spark, name)
            )
        except ValueError as error:
            self._say(400, {"error_code": "INVALID_PARAMETER_VALUE", "message": str(error)})
            return
        self._say(200, page)

    # --- files of volumes

    def _transfer(self, verb: str, secret: str) -> None:
        operation = {"PUT": "PUT", "GET": "GET", "DELETE": "REMOVE"}.get(verb, "")
        volumes = self.server.volumes
        file = volumes.accept(secret, operation) if volumes else None
        length = int(self.headers.get("Content-Length") or 0)
        if file is None:
            self.rfile.read(length)
            self._say(403, {"message": "AuthenticationFailed: this address is not valid."})
        elif operation == "PUT":
            receive(self.rfile, length, file)
            self._send(201, b"")
        elif operation == "REMOVE":
            file.unlink()
            self._send(204, b"")
        else:
            self._send(200, file.read_bytes())

    # --- discovery and OAuth, as far as clients ask

    def _discovery(self) -> None:
        self._say(200, {"oidc_endpoint": f"{self.server.url}/oidc", "workspace_id": "1"})

    def _oauth_server(self) -> None:
        oidc = f"{self.server.url}/oidc/v1"
        endpoints = {
            "issuer": f"{self.server.url}/oidc",
            "authorization_endpoint": f"{oidc}/authorize",
            "token_endpoint": f"{oidc}/token",
        }
        self._say(200, endpoints)

    def _oauth_token(self) -> None:
        header = self.headers.get("Authorization")
        token = self.server.sign_in.exchange(header, self._body.decode())
        if token is None:
            self._say(401, {"error": "invalid_client"})
        else:
            self._say(200, token)

    # --- for tests and people

    @property
    def _shared(self) -> Service:
        if self.server.service is None:
            raise ConnectionError("the SQL warehouse is starting")
        return self.server.service

    def _statements(self) -> None:
        self._say(200, [ran.as_json() for ran in self._shared.log.of(self._client)])

    def _forget_statements(self) -> None:
        self._shared.log.forget(self._client)
        self._say(200, [])

    def _list_faults(self) -> None:
        self._say(200, [vars(fault) for fault in self._shared.faults.of(self._client)])

    def _arm_fault(self) -> None:
        try:
            self._shared.faults.arm(self._client, **json.loads(self._body))
        except (TypeError, ValueError) as error:
            self._say(400, {"message": str(error)})
            return
        self._list_faults()

    def _clear_faults(self) -> None:
        self._shared.faults.clear(self._client)
        self._say(200, [])

    def _issue_token(self) -> None:
        """Issue a token of a new client, for whoever has the first one."""
        if self._client != "root":
            self._refuse_token(403)
            return
        self._say(200, {"token": self.server.sign_in.issue()})
