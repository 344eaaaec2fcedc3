"""Who comes through the gateway to which webserver, by the nginx that we deliver a file for."""

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.operating.gateways import nginx
from tests.operating.programs import free_port
from tests.operating.receivers import serving

GROUPS = {
    "ann": "lending-club-operators",
    "vic": "staff,lending-club-viewers",
    "both": "lending-club-viewers,lending-club-operators",
    "near": "lending-club-viewers-of-old",
}
JSON = {"Content-Type": "application/json"}
QUERY = json.dumps({"query": "mutation { x }", "variables": {"runId": "r1"}})


@dataclass
class Server:
    """A server behind the gateway that keeps what it was asked."""

    port: int = 0
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


@contextmanager
def behind(status: int = 200) -> Iterator[Server]:
    kept = Server()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kept.seen.append((self.command, self.path, dict(self.headers)))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = do_PUT = answer  # noqa: N815 - names of the standard library

        def log_message(self, *_: object) -> None:
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        kept.port = port
        yield kept


@contextmanager
def signing_in() -> Iterator[int]:
    """Answer as oauth2-proxy does: by a cookie it knows who it is."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            who = (self.headers.get("Cookie") or "").removeprefix("who=")
            if self.path != "/oauth2/auth":
                self.send_response(302)
                self.send_header("Location", "https://login.example.com/")
            elif who in GROUPS:
                self.send_response(202)
                self.send_header("X-Auth-Request-Email", f"{who}@example.com")
                self.send_header("X-Auth-Request-Groups", GROUPS[who])
            else:
                self.send_response(401)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        yield port


@dataclass
class Gateway:
    port: int
    operator: Server
    viewer: Server
    log: Path

    def ask(
        self,
        method: str,
        path: str,
        who: str = "",
        headers: Mapping[str, str] | None = None,
        body: str = "",
    ) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        cookie = {"Cookie": f"who={who}"} if who else {}
        connection.request(method, path, body, {**cookie, **(headers or {})})
        status = connection.getresponse().status
        connection.close()
        return status

    def audited(self, since: int, *requests: tuple[str, str, int]) -> list[dict[str, object]]:
        """Return what was kept of requests by method, address and status.

        nginx writes it after it has answered, and its workers do so in any order.
        """
        deadline = time.monotonic() + 60
        kept: dict[tuple[object, ...], dict[str, object]] = {}
        while not kept.keys() >= set(requests) and time.monotonic() < deadline:
            time.sleep(0.05)
            kept = {(it["method"], it["uri"], it["status"]): it for it in self.audit[since:]}
        return [kept[request] for request in requests]

    @property
    def audit(self) -> list[dict[str, object]]:
        return [
            json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")
        ]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("gateway")
    outputs = folder / "outputs"
    outputs.mkdir()
    (outputs / "account_summary.csv").write_text("account_id\n")
    port = free_port()
    with ExitStack() as stack:
        operator, viewer = (stack.enter_context(behind()) for _ in range(2))
        oauth2 = stack.enter_context(signing_in())
        upstreams = {
            "dagster-webserver:3000": operator.port,
            "dagster-webserver-read-only:3001": viewer.port,
            "oauth2-proxy:4180": oauth2,
        }
        log = stack.enter_context(nginx(folder, f"127.0.0.1:{port}", upstreams, outputs))
        yield Gateway(port, operator, viewer, log)


@pytest.fixture(autouse=True)
def _nothing_seen(request: pytest.FixtureRequest) -> None:
    if "gateway" in request.fixturenames:
        running = request.getfixturevalue("gateway")
        running.operator.seen.clear()
        running.viewer.seen.clear()


@pytest.mark.parametrize(
    ("who", "status", "operator", "viewer"),
    [
        pytest.param("ann", 200, 1, 0, id="operator"),
        pytest.param("vic", 200, 0, 1, id="viewer"),
        pytest.param("both", 200, 1, 0, id="in both groups"),
        pytest.param("near", 502, 0, 0, id="in a group of nearly that name"),
        pytest.param("eve", 302, 0, 0, id="not signed in"),
        pytest.param("", 302, 0, 0, id="no cookie"),
    ],
)
def test_the_group_chooses_the_webserver(
    gateway: Gateway, who: str, status: int, operator: int, viewer: int
) -> None:
    assert gateway.ask("POST", "/graphql", who, JSON, QUERY) == status
    assert (len(gateway.operator.seen), len(gateway.viewer.seen)) == (operator, viewer)


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        pytest.param("GET", "/graphql?query=mutation", "", id="link"),
        pytest.param("GET", "//graphql?query=mutation", "", id="link with two slashes"),
        pytest.param("GET", "/graphql/?query=mutation", "", id="link with a slash behind"),
        pytest.param("GET", "/%67raphql?query=mutation", "", id="link in another spelling"),
        pytest.param("GET", "/GraphQL?query=mutation", "", id="link in capitals"),
        pytest.param("POST", "/graphql", "application/x-www-form-urlencoded", id="form"),
        pytest.param("POST", "/graphql", "multipart/form-data; boundary=x", id="multipart"),
        pytest.param("POST", "/graphql?query=x", "text/plain", id="text"),
        pytest.param("POST", "/graphql", "application/graphql", id="graphql"),
        pytest.param("PUT", "/graphql", "application/json", id="put"),
        pytest.param("POST", "/report_asset_materialization/a", "application/json", id="event"),
    ],
)
def test_what_another_page_can_make_a_browser_send_is_refused(
    gateway: Gateway, method: str, path: str, content: str
) -> None:
    assert gateway.ask(method, path, "ann", {"Content-Type": content}, "query=x") == 403
    assert not gateway.operator.seen


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        pytest.param("", 200, id="none"),
        pytest.param("http://127.0.0.1:{port}", 200, id="this site"),
        pytest.param("https://evil.example.com", 403, id="another site"),
        pytest.param("http://127.0.0.1:{port}.evil.example.com", 403, id="a site that begins so"),
        pytest.param("null", 403, id="a page without a site"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_foreign_origins_are_refused(
    gateway: Gateway, origin: str, status: int, method: str
) -> None:
    headers = {"Origin": origin.format(port=gateway.port)} if origin else {}
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade"} if method == "GET" else JSON

    assert gateway.ask(method, "/graphql", "ann", {**headers, **upgrade}) == status


def test_what_a_browser_says_of_itself_changes_nothing(gateway: Gateway) -> None:
    claims = {
        "X-Auth-Request-Groups": "lending-club-operators",
        "X-Auth-Request-Email": "ann@example.com",
        "X-Forwarded-Groups": "lending-club-operators",
        "X-Forwarded-Email": "ann@example.com",
    }

    assert gateway.ask("GET", "/runs", "vic", claims) == 200
    ((_, _, headers),) = gateway.viewer.seen
    assert not gateway.operator.seen
    assert headers["X-Forwarded-Email"] == "vic@example.com"
    assert headers["X-Forwarded-Groups"] == GROUPS["vic"]
    assert not {"X-Auth-Request-Groups", "X-Auth-Request-Email", "Cookie"} & set(headers)


def test_each_request_is_kept_with_who_what_and_how_it_ended(gateway: Gateway) -> None:
    before = len(gateway.audit)
    gateway.ask("POST", "/graphql", "vic", JSON, QUERY)
    gateway.ask("GET", "/outputs/account_summary.csv", "ann")
    gateway.ask("GET", "/graphql?query=mutation", "ann")

    action, download, _ = gateway.audited(
        before,
        ("POST", "/graphql", 200),
        ("GET", "/outputs/account_summary.csv", 200),
        ("GET", "/graphql?query=mutation", 403),
    )
    assert (action["user"], download["user"]) == ("vic@example.com", "ann@example.com")
    assert action["role"] == "viewer"
    assert json.loads(str(action["operation"]))["variables"] == {"runId": "r1"}


@pytest.mark.parametrize(
    ("method", "who", "status"),
    [("GET", "vic", 200), ("GET", "", 302), ("PUT", "ann", 405), ("GET", "near", 404)],
)
def test_outputs_are_for_those_who_are_signed_in(
    gateway: Gateway, method: str, who: str, status: int
) -> None:
    """Members of other groups are refused by oauth2-proxy at sign-in already."""
    assert gateway.ask(method, "/outputs/account_summary.csv", who) == status


def test_outputs_are_those_files_alone(gateway: Gateway) -> None:
    paths = ("/outputs/../nginx.conf", "/outputs../nginx.conf", "/outputs/%2e%2e/nginx.conf")
    for path in paths:
        gateway.ask("GET", path, "ann")

    # They are paths of Dagster by then, not of the disk.
    assert len(gateway.operator.seen) == len(paths)
