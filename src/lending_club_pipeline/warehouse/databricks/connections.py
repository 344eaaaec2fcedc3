"""Connections to a SQL warehouse: network, sign-in, arguments of the connector."""

import logging
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr

from lending_club_pipeline.config.databricks import DatabricksSettings
from lending_club_pipeline.secret_stores.reading import forget_secrets, secret_value
from lending_club_pipeline.warehouse.databricks.sign_in import (
    Headers,
    headers_by_principal,
    headers_by_token,
)

if TYPE_CHECKING:
    # An extra, needed in production only.
    from databricks.sql.client import Connection

_APPLICATION: Final = "lending-club-pipeline"
# In ANSI mode both engines behave alike; timestamps are UTC everywhere.
SESSION_CONFIGURATION: Final = {"ansi_mode": "true", "timezone": "UTC"}
_HTTPS_PORT: Final = 443
# The connector refuses a shorter time.
_LEAST_RETRY_SECONDS: Final = 1.0


def tags_of(run_id: str) -> dict[str, str]:
    """Return the tags by which an administrator finds a run's statements in the query history.

    See https://docs.databricks.com/aws/en/sql/user/queries/query-tags.
    """
    return {"application": _APPLICATION, "run_id": run_id or "none"}


def is_ours(tags: Mapping[str, str]) -> bool:
    """Return whether a statement with these tags is one of this project."""
    return tags.get("application") == _APPLICATION


def host_and_port(host: str) -> tuple[str, int]:
    """Split a host that may have a port into name and port."""
    name, _, port = host.partition(":")
    return name, int(port) if port else _HTTPS_PORT


def proxy_of(host: str) -> str | None:
    """Return the address of the proxy through which a host is reached, or None."""
    proxy = urllib.request.getproxies().get("https")
    return None if proxy is None or _needs_no_proxy(host) else proxy


def _needs_no_proxy(host: str) -> bool:
    name, port = host_and_port(host)
    bypassed = (urllib.request.proxy_bypass(it) for it in (name, f"{name}:{port}"))
    return any(map(bool, bypassed))


def network_variables(address: DatabricksSettings) -> dict[str, str]:
    """Return environment variables for the libraries that connect: certificates and proxy.

    Args:
        address: the SQL warehouse.
    """
    given = {}
    if address.ca_file is not None:
        # The SDK and dbt-databricks read it only from the environment.
        given["REQUESTS_CA_BUNDLE"] = str(address.ca_file)
    name, _ = host_and_port(address.host)
    if _needs_no_proxy(address.host) and not urllib.request.proxy_bypass(name):
        # Unlike other libraries, the connector ignores a host with a port in NO_PROXY.
        hosts = f"{urllib.request.getproxies().get('no', '')},{name}"
        given |= {"NO_PROXY": hosts, "no_proxy": hosts}
    return given


def connection_arguments(address: DatabricksSettings, run_id: str) -> dict[str, Any]:
    """Return the arguments of `databricks.sql.connect`.

    Args:
        address: the SQL warehouse.
        run_id: Dagster's id of the run, for the tags of its statements.
    """
    return {
        "server_hostname": address.host,
        "http_path": address.http_path,
        "catalog": address.catalog or None,
        "schema": address.schema_name or None,
        "session_configuration": dict(SESSION_CONFIGURATION),
        "query_tags": tags_of(run_id),
        "user_agent_entry": _APPLICATION,
        "enable_telemetry": False,
        # Without pandas, rows are plain Python values.
        "_disable_pandas": True,
        "_tls_trusted_ca_file": None if address.ca_file is None else str(address.ca_file),
        "_connection_uri": address.uri,
        "_socket_timeout": 900,
        # Otherwise the connector resends a statement whose reply was lost, and an insert would add
        # its rows twice. The connector still retries 429 and 503.
        "_enable_v3_retries": False,
        "_respect_server_retry_after_header": True,
        "_retry_stop_after_attempts_duration": max(address.retry_seconds, _LEAST_RETRY_SECONDS),
        **_sign_in(address),
    }


def _sign_in(address: DatabricksSettings) -> dict[str, Any]:
    if address.token is not None:
        return {"access_token": secret_value("DATABRICKS_TOKEN", address.token)}
    return {"credentials_provider": _by_principal(address)}


def _by_principal(address: DatabricksSettings) -> Callable[[], Callable[[], Headers]]:
    client_id, secret = address.client_id or "", address.client_secret or SecretStr("")
    value = secret_value("DATABRICKS_CLIENT_SECRET", secret)
    return lambda: headers_by_principal(address.host, client_id, value)


def headers_of(address: DatabricksSettings) -> Callable[[], Headers]:
    """Return a function that gives the headers with which a request signs in to the workspace.

    Raises:
        SecretError: a manager does not give the secret.
    """
    if address.token is not None:
        return headers_by_token(secret_value("DATABRICKS_TOKEN", address.token))
    return _by_principal(address)()


def with_secrets(address: DatabricksSettings) -> DatabricksSettings:
    """Return an address in which references to a secret manager are replaced by the secrets.

    Raises:
        SecretError: a secret cannot be read.
    """
    fields = {"token": "DATABRICKS_TOKEN", "client_secret": "DATABRICKS_CLIENT_SECRET"}
    given = {name: getattr(address, name) for name in fields}
    read = {name: SecretStr(secret_value(fields[name], it)) for name, it in given.items() if it}
    return address.model_copy(update=read)


def connect(address: DatabricksSettings, run_id: str, staging: Path | None) -> "Connection":
    """Open a session of the SQL warehouse.

    Args:
        address: the SQL warehouse.
        run_id: Dagster's id of the run, for the tags of its statements.
        staging: the only local folder from which files may be uploaded, if any.

    Raises:
        SecretError: the secret for the sign-in cannot be read.
        databricks.sql.exc.Error: the connector's own errors; see `errors`.
    """
    from databricks import sql  # noqa: PLC0415 - an extra, needed in production only

    # It warns of retries that we want, and logs errors that we explain ourselves.
    logging.getLogger("databricks.sql").setLevel(logging.CRITICAL)
    allowed = None if staging is None else str(staging)
    arguments = connection_arguments(address, run_id)
    try:
        connection: Connection = sql.connect(**arguments, staging_allowed_local_path=allowed)
    except Exception:
        # The secret may have been rotated: the next connection reads it again.
        forget_secrets()
        raise
    return connection
