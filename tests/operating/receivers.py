"""Those who are told, as servers on loopback: webhooks, and a mail server."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Webhooks:
    """A web server that keeps what is posted to it.

    Attributes:
        port: of loopback.
        posts: path and JSON body of each; the bytes of another kind.
        headers: of each.
        answer: status that it answers with.
    """

    port: int = 0
    posts: list[tuple[str, Any]] = field(default_factory=list)
    answer: int = 202
    headers: list[dict[str, str]] = field(default_factory=list)

    def of(self, path: str) -> list[Any]:
        """Return the bodies that were posted to a path."""
        return [body for posted, body in self.posts if posted == path]


@contextmanager
def webhooks(host: str = "127.0.0.1") -> Iterator[Webhooks]:
    """Listen for webhooks of Slack and PagerDuty, on an address of this machine."""
    kept = Webhooks()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            is_json = self.headers.get_content_type() == "application/json"
            kept.posts.append((self.path, json.loads(body) if is_json else body))
            kept.headers.append(dict(self.headers))
            self.send_response(kept.answer)
            self.end_headers()
            # Slack says so in two letters, and Alertmanager reads them.
            self.wfile.write(b"ok" if self.path == "/slack" else b'{"status": "success"}')

        def log_message(self, *_: object) -> None:
            pass

    with serving(ThreadingHTTPServer((host, 0), Handler)) as port:
        kept.port = port
        yield kept


@dataclass
class Mails:
    """A mail server that keeps what it is sent.

    Attributes:
        port: of loopback.
        messages: subject and text of each.
    """

    port: int = 0
    messages: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def mails(host: str = "127.0.0.1") -> Iterator[Mails]:
    """Listen for mails, as RFC 5321 says, as far as a sender of mails needs it.

    Args:
        host: an address of this machine.
    """
    kept = Mails()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 ready")
            for line in self.rfile:
                verb = line[:4].upper().strip()
                if verb == b"DATA":
                    self._say("354 go on")
                    _keep(kept, b"".join(iter(self.rfile.readline, b".\r\n")))
                self._say("221 bye" if verb == b"QUIT" else "250 fine")
                if verb == b"QUIT":
                    return

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with serving(socketserver.ThreadingTCPServer((host, 0), Handler)) as port:
        kept.port = port
        yield kept


def _keep(mails: Mails, content: bytes) -> None:
    message = message_from_bytes(content, policy=policy.default)
    body = message.get_body(("plain",))
    mails.messages.append((str(message["Subject"]), "" if body is None else body.get_content()))


@contextmanager
def serving(server: socketserver.TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
