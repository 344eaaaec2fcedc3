"""A proxy before a server, which does to requests what networks and busy servers do."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True)
class Answer:
    """What a server answers."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True)
class Request:
    """What a client asks."""

    method: str
    path: str
    headers: dict[str, str]

    def is_for(self, method: str, part: str) -> bool:
        return self.method == method and part in unquote(self.path)


# Returns what the client gets; it may ask the server, or not.
Rule = Callable[[Request, Callable[[], Answer]], Answer]
BUSY = Answer(503, [("Content-Type", "application/xml")], b"<Error><Code>SlowDown</Code></Error>")
FORBIDDEN = Answer(403, [], b"<Error><Code>AccessDenied</Code></Error>")


@dataclass
class Proxy:
    """What came, and what is done to it."""

    endpoint: str
    requests: list[Request] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)

    def asked(self, method: str, part: str = "") -> list[Request]:
        return [it for it in self.requests if it.is_for(method, part)]

    def answer(self, answer: Answer, method: str, part: str, times: int = 10_000) -> None:
        """Answer so, that many times, what is asked of a path."""
        left = iter(range(times))

        def rule(request: Request, ask: Callable[[], Answer]) -> Answer:
            is_hit = request.is_for(method, part) and next(left, None) is not None
            return answer if is_hit else ask()

        self.rules.append(rule)


class _Server(ThreadingHTTPServer):
    """Serves one proxy."""

    proxy: Proxy
    upstream: str


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, self.path, dict(self.headers))
        self.server.proxy.requests.append(request)

        def ask() -> Answer:
            connection = http.client.HTTPConnection(self.server.upstream, timeout=60)
            connection.request(self.command, self.path, body, dict(self.headers))
            given = connection.getresponse()
            return Answer(given.status, given.getheaders(), given.read())

        step = ask
        for rule in self.server.proxy.rules:
            step = partial(rule, request, step)
        self.close_connection = True
        self._send(step())

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        kept = {name.lower(): value for name, value in answer.headers}
        for name in ("connection", "date", "server"):
            kept.pop(name, None)
        # A server that tells no length has a reason.
        is_chunked = "transfer-encoding" in kept
        if not is_chunked:
            kept.setdefault("content-length", str(len(answer.body)))
        for name, value in kept.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            chunk = b"%x\r\n%b\r\n" % (len(answer.body), answer.body) if answer.body else b""
            self.wfile.write(chunk + b"0\r\n\r\n" if is_chunked else answer.body)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _serve  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def before(upstream: str) -> Iterator[Proxy]:
    """Give a proxy before a server."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.proxy = Proxy(f"http://127.0.0.1:{server.server_port}")
    server.upstream = urlsplit(upstream).netloc
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
