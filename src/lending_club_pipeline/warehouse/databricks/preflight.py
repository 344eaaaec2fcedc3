"""Check each step of the connection to a SQL warehouse; name the missing rights.

Nothing here changes anything. Privileges are those of
https://docs.databricks.com/aws/en/data-governance/unity-catalog/manage-privileges/privileges.
"""

import socket
import ssl
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from lending_club_pipeline.config.databricks import DatabricksSettings
from lending_club_pipeline.contract.errors import ConfigurationError, WarehouseError
from lending_club_pipeline.contract.preflight_results import PreflightResult
from lending_club_pipeline.warehouse.databricks import errors
from lending_club_pipeline.warehouse.databricks.connections import (
    host_and_port,
    proxy_of,
)
from lending_club_pipeline.warehouse.databricks.statements import StatementSession, quoted, text

_STEPS: Final = ("name", "TLS", "sign-in", "warehouse", "catalog", "schema", "volume", "rights")
_HTTP_PORT: Final = 80
_HTTPS_PORT: Final = 443
_TIMEOUT_SECONDS: Final = 10.0
_NO_SUCH_PATH: Final = frozenset({400, 404})
_HIDDEN: Final = (
    "NO_SUCH_CATALOG",
    "CATALOG_NOT_FOUND",
    "INSUFFICIENT_PERMISSIONS",
    "PERMISSION_DENIED",
    "UNAUTHORIZED_ACCESS",
)
_ALL: Final = "ALL PRIVILEGES"
_ON_SCHEMA: Final = ("USE SCHEMA", "CREATE TABLE", "SELECT", "MODIFY")
_ON_VOLUME: Final = ("READ VOLUME", "WRITE VOLUME")


class _FailedStepError(Exception):
    """A step failed; the text holds the remedy."""


@dataclass
class Preflight:
    """One check of the connection to a SQL warehouse.

    Attributes:
        address: the SQL warehouse and who signs in.
        session: a session that is not open yet; it is closed in the end.
    """

    address: DatabricksSettings
    session: StatementSession
    _principal: str = ""
    _has_schema: bool = False
    _has_volume: bool = False

    def results(self) -> Iterator[PreflightResult]:
        """Yield a result for each step; steps after a failed one are skipped."""
        checks: tuple[Callable[[], PreflightResult], ...] = (
            self._name,
            self._tls,
            self._sign_in,
            self._warehouse,
            self._catalog,
            self._schema,
            self._volume,
            self._rights,
        )
        failed = ""
        try:
            for step, check in zip(_STEPS, checks, strict=True):
                subject = f"Databricks {step}"
                if failed:
                    yield PreflightResult(
                        subject, "warning", f"not checked, because {failed} failed"
                    )
                    continue
                finding = _found(subject, check)
                failed = step if finding.verdict == "problem" else ""
                yield finding
        finally:
            self.session.close()

    # --- the connection to the host

    def _name(self) -> PreflightResult:
        host, port = host_and_port(self.address.host)
        proxy = proxy_of(self.address.host)
        if proxy is not None:
            _check_proxy(proxy)
            return PreflightResult(
                "", "ok", f"{host} is looked up by the proxy that HTTPS_PROXY names"
            )
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError:
            raise _FailedStepError(
                f"{host} is not known. Correct DATABRICKS_HOST (the address of the workspace, "
                "without https://), or look at the network: a VPN, a proxy (HTTPS_PROXY)"
            ) from None
        return PreflightResult("", "ok", f"{host} is {found[0][4][0]}")

    def _tls(self) -> PreflightResult:
        host, port = host_and_port(self.address.host)
        if proxy_of(self.address.host) is not None:
            return PreflightResult("", "ok", "checked with the sign-in, through the proxy")
        try:
            trusted = ssl.create_default_context(cafile=self.address.ca_file)
            with (
                socket.create_connection((host, port), _TIMEOUT_SECONDS) as plain,
                trusted.wrap_socket(plain, server_hostname=host) as secured,
            ):
                certificate = secured.getpeercert() or {}
                until = certificate.get("notAfter", "unknown")
                return PreflightResult(
                    "", "ok", f"{secured.version()}, certificate valid until {until}"
                )
        except ssl.SSLCertVerificationError as error:
            raise _FailedStepError(
                f"the certificate of {host} is not trusted ({error.verify_message}). Ask for your "
                "company's certificates (PEM) and name the file by DATABRICKS_CA_FILE"
            ) from None
        except OSError as error:
            if self.address.ca_file is not None and not self.address.ca_file.is_file():
                reason = f"DATABRICKS_CA_FILE={self.address.ca_file} is not a file. Correct it"
            else:
                reason = (
                    f"no TLS connection to {host}, port {port} ({type(error).__name__}). Ask for "
                    "the way to be opened in the firewall, or name a proxy by HTTPS_PROXY"
                )
            raise _FailedStepError(reason) from None

    # --- the SQL warehouse

    def _sign_in(self) -> PreflightResult:
        """Open a session; the status of a refusal shows which step has failed."""
        try:
            self.session.open()
        except WarehouseError as error:
            # The sign-in was accepted; the next step finds the problem.
            if errors.http_code_of(error) not in _NO_SUCH_PATH:
                raise
        return PreflightResult("", "ok", f"by {self._way}")

    @property
    def _way(self) -> str:
        if self.address.token is not None:
            return "DATABRICKS_TOKEN"
        return f"service principal {self.address.client_id}"

    def _warehouse(self) -> PreflightResult:
        try:
            row = self.session.fetch("select current_user() as principal")[0]
        except WarehouseError as error:
            if errors.http_code_of(error) in _NO_SUCH_PATH:
                raise _FailedStepError(
                    f"there is no SQL warehouse at DATABRICKS_HTTP_PATH={self.address.http_path}. "
                    "Copy the path from the connection details of the SQL warehouse, or ask the "
                    "administrator to make one and to give you CAN USE on it"
                ) from None
            raise
        self._principal = str(row["principal"])
        return PreflightResult("", "ok", f"{self.address.http_path} answers {self._principal}")

    # --- Unity Catalog

    def _catalog(self) -> PreflightResult:
        catalog = self.address.catalog
        like = text(self.address.schema_name)
        try:
            found = self.session.fetch(f"show schemas in {quoted(catalog)} like {like}")
        except WarehouseError as error:
            if not errors.condition_in(error).startswith(_HIDDEN):
                raise
            raise _FailedStepError(
                f"there is no catalog {catalog}, or {self._principal} may not see it. Correct "
                f"DATABRICKS_CATALOG, or ask the administrator for: {self._grant_of_catalog()}"
            ) from None
        names = {str(row["databaseName"]).lower() for row in found}
        self._has_schema = self.address.schema_name.lower() in names
        return PreflightResult("", "ok", catalog)

    def _grant_of_catalog(self, *privileges: str) -> str:
        asked = privileges or ("USE CATALOG", "CREATE SCHEMA")
        return _grant(asked, "catalog", quoted(self.address.catalog), self._principal)

    def _schema(self) -> PreflightResult:
        name = f"{self.address.catalog}.{self.address.schema_name}"
        if self._has_schema:
            return PreflightResult("", "ok", name)
        needed = self._grant_of_catalog()
        return PreflightResult(
            "", "ok", f"{name} (will be made by the first run, which needs: {needed})"
        )

    @property
    def _quoted_schema(self) -> str:
        return quoted(self.address.catalog, self.address.schema_name)

    @property
    def _quoted_volume(self) -> str:
        return quoted(self.address.catalog, self.address.schema_name, self.address.volume)

    def _volume(self) -> PreflightResult:
        name = f"{self.address.catalog}.{self.address.schema_name}.{self.address.volume}"
        if self._has_schema:
            rows = self.session.fetch(
                f"show volumes in {self._quoted_schema} like {text(self.address.volume)}"
            )
            self._has_volume = bool(rows)
        if self._has_volume:
            return PreflightResult("", "ok", name)
        needed = "the right to make the schema"
        if self._has_schema:
            needed = _grant(("CREATE VOLUME",), "schema", self._quoted_schema, self._principal)
        return PreflightResult(
            "", "ok", f"{name} (will be made by the next run, which needs: {needed})"
        )

    # --- rights

    def _rights(self) -> PreflightResult:
        """Compare the rights that a run needs with the visible grants."""
        asked = [*self._missing()]
        if not asked:
            return PreflightResult(
                "", "ok", f"all that a run needs is granted to {self._principal}"
            )
        sql = "\n".join(f"{statement};" for statement in asked)
        return PreflightResult(
            "",
            "warning",
            f"not listed as granted to {self._principal}, who may still have it as a member "
            "of a group or as the owner: the grants do not show this. If a run says that a right "
            f"is missing, ask the administrator for:\n{sql}",
        )

    def _missing(self) -> Iterator[str]:
        """Yield the grants of the missing rights."""
        catalog = quoted(self.address.catalog)
        granted = self._granted("catalog", catalog)
        needed = ("USE CATALOG",) if self._has_schema else ("USE CATALOG", "CREATE SCHEMA")
        yield from self._lacking(needed, granted, "catalog", catalog)
        if self._has_schema and not self._owns(self.address.catalog, self.address.schema_name):
            yield from self._missing_in_schema(granted)
        yield from self._missing_for_readers()

    def _missing_in_schema(self, granted: set[str]) -> Iterator[str]:
        granted = granted | self._granted("schema", self._quoted_schema)
        needed = _ON_SCHEMA if self._has_volume else (*_ON_SCHEMA, "CREATE VOLUME")
        yield from self._lacking(needed, granted, "schema", self._quoted_schema)
        if self._has_volume:
            granted = granted | self._granted("volume", self._quoted_volume)
            yield from self._lacking(_ON_VOLUME, granted, "volume", self._quoted_volume)

    def _missing_for_readers(self) -> Iterator[str]:
        """Yield the missing rights for readers if the serving table is in another schema."""
        catalog, schema, _ = self.address.serving_place
        if (catalog, schema) == (self.address.catalog, self.address.schema_name):
            return
        if self._owns(catalog, schema):
            return
        granted = self._granted("catalog", quoted(catalog))
        yield from self._lacking(("USE CATALOG",), granted, "catalog", quoted(catalog))
        granted |= self._granted("schema", quoted(catalog, schema))
        yield from self._lacking(_ON_SCHEMA, granted, "schema", quoted(catalog, schema))

    def _granted(self, kind: str, name: str) -> set[str]:
        who = self._principal.replace("`", "``")
        rows = self.session.fetch(f"show grants `{who}` on {kind} {name}")
        return {str(row["ActionType"]).upper().replace("_", " ") for row in rows}

    def _owns(self, catalog: str, schema: str) -> bool:
        rows = self.session.fetch(
            f"select schema_owner from {quoted(catalog)}.information_schema.schemata "
            f"where schema_name = {text(schema.lower())}"
        )
        return any(row["schema_owner"] == self._principal for row in rows)

    def _lacking(
        self, needed: tuple[str, ...], granted: set[str], kind: str, name: str
    ) -> Iterator[str]:
        lacking = tuple(it for it in needed if it not in granted)
        if lacking and _ALL not in granted:
            yield _grant(lacking, kind, name, self._principal)


def _found(subject: str, check: Callable[[], PreflightResult]) -> PreflightResult:
    try:
        found = check()
    except (_FailedStepError, WarehouseError, ConfigurationError) as error:
        return PreflightResult(subject, "problem", str(error))
    return PreflightResult(subject, found.verdict, found.detail)


def _check_proxy(proxy: str) -> None:
    """Check that a proxy answers.

    Raises:
        _FailedStepError: it does not.
    """
    parts = urllib.parse.urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    # The proxy's address may hold name and password.
    shown = f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
    default = _HTTPS_PORT if parts.scheme == "https" else _HTTP_PORT
    try:
        place = (parts.hostname or "", parts.port or default)
        socket.create_connection(place, _TIMEOUT_SECONDS).close()
    except OSError as error:
        raise _FailedStepError(
            f"the proxy {shown} does not answer ({type(error).__name__}). Correct HTTPS_PROXY, or "
            "name the host by NO_PROXY if there is a way to it without a proxy"
        ) from None


def _grant(privileges: tuple[str, ...], kind: str, name: str, principal: str) -> str:
    who = principal.replace("`", "``")
    return f"grant {', '.join(privileges).lower()} on {kind} {name} to `{who}`"
