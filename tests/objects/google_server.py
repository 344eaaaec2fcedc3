"""A server that speaks the XML API of Google's Cloud Storage, as Google documents it, in memory.

Google gives no server for tests that knows lists, deletions and multipart uploads of this API, and
the emulators of the package registries know other APIs. Where Google ignores what it does not know,
this server refuses it: a client that works here does not rely on a lenient server.

It is only as good as the documentation: https://cloud.google.com/storage/docs/xml-api
"""

import base64
import json
import secrets
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from tests.objects.google_requests import Answer, Asked, add_texts, serve, xml_answer
from tests.objects.google_store import ProblemError, Storage

SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
_METADATA_SERVICE: Final = "/computeMetadata/v1/instance/service-accounts/default/token"


def check_bearer(storage: Storage, authorization: str) -> None:
    """Let in who has a token of the metadata service, or one that a service account has signed."""
    scheme, _, token = authorization.partition(" ")
    if scheme != "Bearer" or (token not in storage.tokens and not _is_signed(storage, token)):
        raise ProblemError(401, "AuthenticationRequired", "Authentication required.")


def _is_signed(storage: Storage, token: str) -> bool:
    """Whether it is a token as https://google.aip.dev/auth/4111 describes it."""
    try:
        head, claims, signature = token.split(".")
        header, said = json.loads(_decoded(head)), json.loads(_decoded(claims))
        email_address, key = storage.accounts[header["kid"]]
        key.verify(
            _decoded(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256()
        )
    except (ValueError, KeyError, InvalidSignature):
        return False
    now = time.time()
    return (
        header == {"alg": "RS256", "typ": "JWT", "kid": header["kid"]}
        and set(said) == {"iss", "sub", "scope", "iat", "exp"}
        and said["iss"] == said["sub"] == email_address
        and said["scope"] == SCOPE
        and said["iat"] <= now + 60
        and now < said["exp"] <= said["iat"] + 3600
    )


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


class _Server(ThreadingHTTPServer):
    storage: Storage


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): text for name, text in self.headers.items()}
        try:
            if parts.path == _METADATA_SERVICE:
                answer = self._token(headers)
            else:
                bucket, _, key = parts.path.lstrip("/").partition("/")
                query = parse_qs(parts.query, keep_blank_values=True, strict_parsing=False)
                texts = {name: texts[0] for name, texts in query.items()}
                asked = Asked(self.command, unquote(bucket), unquote(key), texts, headers, body)
                with self.server.storage.lock:
                    check_bearer(self.server.storage, asked.header("authorization"))
                    answer = serve(self.server.storage, asked)
        except ProblemError as problem:
            answer = _told(problem)
        self._send(answer)

    def _token(self, headers: Mapping[str, str]) -> Answer:
        """Give a token as the metadata service of Google's machines does."""
        if headers.get("metadata-flavor") != "Google":
            return Answer(403)
        token = secrets.token_urlsafe(32)
        self.server.storage.tokens.add(token)
        given = {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}
        return Answer(200, {"Content-Type": "application/json"}, json.dumps(given).encode())

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, text in answer.headers.items():
            self.send_header(name, text)
        if answer.has_length:
            self.send_header("Content-Length", str(len(answer.body)))
        else:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if self.command == "HEAD":
            return
        if answer.has_length:
            self.wfile.write(answer.body)
        else:
            self.wfile.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(answer.body), answer.body))

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _serve  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _told(problem: ProblemError) -> Answer:
    root = ET.Element("Error")
    add_texts(root, Code=problem.code, Message=problem.said)
    told = xml_answer(root)
    return Answer(problem.status, told.headers, told.body)


@contextmanager
def running(storage: Storage) -> Iterator[str]:
    """Give the address of a server of this storage."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.storage = storage
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
