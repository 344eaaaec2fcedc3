"""Only our own settings decide where and how to sign in, whatever other tools have set.

Each variable that the SDK documents is set to something harmful, beside a configuration file of
another account. That account is a real server, which must not receive anything.
"""

import datetime as dt
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk.config import Config
from dbt.adapters.databricks.handle import SqlUtils

from databricks_stand_in.certificates import make_certificates
from databricks_stand_in.front_door import HTTP_PATH, FrontDoor
from databricks_stand_in.sign_in import OAUTH_PREFIX
from dbt.adapters.lendingclubdatabricks import Plugin
from lending_club_pipeline.config.settings import DataPlatformConfig, load_settings
from lending_club_pipeline.warehouse.databricks.connections import connection_arguments
from lending_club_pipeline.warehouse.databricks.query_history import QueryHistory
from lending_club_pipeline.warehouse.databricks.warehouse import DatabricksWarehouse

OUR_SETTINGS = {*DataPlatformConfig.variables()}
DOCUMENTED = {
    name for it in Config.attributes() for name in (it.env, *it.env_aliases) if name
} - OUR_SETTINGS
# Others that the SDK or dbt-databricks reads without listing them as attributes.
UNLISTED = {
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    "DATABRICKS_MODEL_SERVING_HOST_URL",
    "DATABRICKS_RUNTIME_VERSION",
    "DATABRICKS_SDK_UPSTREAM",
    "DBT_DATABRICKS_HTTP_SESSION_HEADERS",
    "DBT_DATABRICKS_INVOCATION_ENV",
    "IS_IN_DATABRICKS_MODEL_SERVING_ENV",
    "SYSTEM_ACCESSTOKEN",
}
PROFILES = """
[DEFAULT]
host = {url}
token = dapi-other
account_id = 00000000-1111-2222-3333-444444444444
discovery_url = {url}/from-default

[other]
host = {url}
client_id = other-id
client_secret = other-secret
discovery_url = {url}/from-profile
scopes = sql

[__settings__]
default_profile = other
"""


@dataclass
class Server:
    """A server on loopback.

    Attributes:
        url: its address.
        received: the paths that were asked for.
    """

    url: str
    received: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def other_account() -> Iterator[Server]:
    """Another account, which would issue a token to whoever sends it a secret."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.received.append(self.path)
            endpoints = ("issuer", "authorization_endpoint", "token_endpoint", "oidc_endpoint")
            issued = {"access_token": "of-the-other", "token_type": "Bearer", "expires_in": 3600}
            body = json.dumps({**dict.fromkeys(endpoints, server.url), **issued}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        server = Server(f"http://127.0.0.1:{listening.server_address[1]}")
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield server
        listening.shutdown()


@dataclass
class Workspace(Server):
    """Our workspace, with what it takes to sign in."""

    ca_file: Path = Path()
    token: str = ""
    client_id: str = ""
    client_secret: str = ""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace that signs in, and has no SQL warehouse behind its door."""
    folder = tmp_path_factory.mktemp("workspace")
    with FrontDoor(make_certificates(folder)) as door:
        usual, ours = door.RequestHandlerClass, door.sign_in
        # A secret that does not look like one of Databricks, which dbt-databricks shows to Azure.
        ours.client_secret = "a-secret-of-ours"
        own = Workspace(
            door.url, [], folder / "ca.pem", ours.token, ours.client_id, ours.client_secret
        )

        class Recording(usual):  # type: ignore[misc, valid-type]
            def _route(self, verb: str) -> None:
                own.received.append(self.path)
                super()._route(verb)

        door.RequestHandlerClass = Recording
        threading.Thread(target=door.serve_forever, daemon=True).start()
        yield own
        door.shutdown()


@pytest.fixture(autouse=True)
def configured_by_others(
    other_account: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home with a configuration file of another account, and no variable of ours."""
    other_account.received.clear()
    (tmp_path / ".databrickscfg").write_text(PROFILES.format(url=other_account.url))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in DOCUMENTED | UNLISTED | OUR_SETTINGS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=["token", "principal"])
def settings(
    request: pytest.FixtureRequest, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> DataPlatformConfig:
    """Our own settings, with either way to sign in."""
    workspace.received.clear()
    given = {
        "DATABASE_TYPE": "databricks",
        "DATABRICKS_HOST": workspace.url.removeprefix("https://"),
        "DATABRICKS_HTTP_PATH": HTTP_PATH,
        "DATABRICKS_CATALOG": "main",
        "DATABRICKS_SCHEMA": "lending_club",
        "DATABRICKS_CA_FILE": str(workspace.ca_file),
    }
    given |= (
        {"DATABRICKS_TOKEN": workspace.token}
        if request.param == "token"
        else {
            "DATABRICKS_CLIENT_ID": workspace.client_id,
            "DATABRICKS_CLIENT_SECRET": workspace.client_secret,
        }
    )
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(workspace.ca_file))
    return load_settings()


def arguments_of_ours(settings: DataPlatformConfig) -> dict[str, Any]:
    address = DatabricksWarehouse.from_settings(settings).address
    return connection_arguments(address, "run")


def arguments_of_dbt(settings: DataPlatformConfig) -> dict[str, Any]:
    address = DatabricksWarehouse.from_settings(settings).address
    secret, token = address.client_secret, address.token
    credentials = Plugin.credentials(
        database=address.catalog,
        schema=address.schema_name,
        host=address.host,
        http_path=address.http_path,
        token="" if token is None else token.get_secret_value(),
        client_id=address.client_id or "",
        client_secret="" if secret is None else secret.get_secret_value(),
        auth_type="oauth" if address.client_id else "",
        connection_parameters={},
    )
    signing_in = credentials.authenticate()
    return SqlUtils.prepare_connection_arguments(credentials, signing_in, address.http_path)


def sign_in(arguments: dict[str, Any]) -> str:
    """Sign in as the connector would, and return the header that it would send."""
    if "access_token" in arguments:
        return f"Bearer {arguments['access_token']}"
    return str(arguments["credentials_provider"]()()["Authorization"])


def value_of(name: str, other: Server, home: Path) -> str:
    """Return the most harmful value of a variable that we know."""
    if name == "DATABRICKS_CONFIG_FILE":
        return str(home / ".databrickscfg")
    if name == "DBT_DATABRICKS_HTTP_SESSION_HEADERS":
        return json.dumps({"Authorization": "Bearer of-the-other"})
    if name == "DBT_DATABRICKS_INVOCATION_ENV":
        return "(not allowed)"
    return other.url if name.endswith("URL") else "other"


def assert_signed_in_as_we_say(
    settings: DataPlatformConfig, workspace: Workspace, other_account: Server
) -> None:
    for arguments_of in (arguments_of_ours, arguments_of_dbt):
        arguments = arguments_of(settings)
        header = sign_in(arguments)

        if settings.databricks.token is None:
            assert header.startswith(f"Bearer {OAUTH_PREFIX}")
        else:
            assert header == f"Bearer {workspace.token}"
        assert arguments["server_hostname"] == settings.databricks.host
        assert arguments.get("http_headers") is None
    assert set(workspace.received) <= {"/oidc/v1/token"}
    assert other_account.received == []


@pytest.mark.parametrize("name", ["HOME", *sorted(DOCUMENTED | UNLISTED)])
def test_no_variable_and_no_file_of_other_tools_changes_where_and_how_we_sign_in(
    name: str,
    settings: DataPlatformConfig,
    workspace: Workspace,
    other_account: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if name != "HOME":
        monkeypatch.setenv(name, value_of(name, other_account, tmp_path))

    assert_signed_in_as_we_say(settings, workspace, other_account)


@pytest.fixture
def _all_of_them(other_account: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in DOCUMENTED | UNLISTED:
        monkeypatch.setenv(name, value_of(name, other_account, tmp_path))


@pytest.mark.usefixtures("_all_of_them")
def test_nor_do_all_of_them_together(
    settings: DataPlatformConfig, workspace: Workspace, other_account: Server
) -> None:
    assert_signed_in_as_we_say(settings, workspace, other_account)


@pytest.mark.usefixtures("_all_of_them")
def test_the_query_history_is_asked_at_our_host_alone_and_as_we_sign_in(
    settings: DataPlatformConfig,
    workspace: Workspace,
    other_account: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")

    assert QueryHistory(settings.databricks, {}).read(dt.datetime.now(dt.UTC)) == []

    assert any(it.startswith("/api/2.0/sql/history/queries") for it in workspace.received)
    assert other_account.received == []


def test_dbt_has_no_other_way_to_sign_in(settings: DataPlatformConfig) -> None:
    address = DatabricksWarehouse.from_settings(settings).address
    credentials = Plugin.credentials(host=address.host, http_path="/sql/1", token="dapi-ours")

    for name in ("config", "api_client"):
        with pytest.raises(NotImplementedError):
            getattr(credentials.authenticate(), name)
