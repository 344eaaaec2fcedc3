"""Settings of Databricks: the SQL warehouse, the sign-in, and the table for readers."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict

from lending_club_pipeline.config.concern import Concern, prefixed
from lending_club_pipeline.config.paths import AnyPath
from lending_club_pipeline.config.values import (
    Credential,
    Identifier,
    SecretCredential,
    matching,
)

_HOST: Final = re.compile(r"[A-Za-z0-9.-]+(?::\d{1,5})?")
_HTTP_PATH: Final = re.compile(r"(?:/[A-Za-z0-9_.-]+)+(?:\?o=\d+)?")
_REQUIRED: Final = (
    "DATABRICKS_HOST",
    "DATABRICKS_HTTP_PATH",
    "DATABRICKS_CATALOG",
    "DATABRICKS_SCHEMA",
)
_PRINCIPAL: Final = ("DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET")


def _check_host(value: str) -> str:
    host = value.strip().rstrip("/")
    if not _HOST.fullmatch(host):
        raise ValueError("must be a host name without https:// and without a path")
    return host


def _check_http_path(value: str) -> str:
    path = "/" + value.strip().strip("/")
    if not _HTTP_PATH.fullmatch(path):
        raise ValueError(
            "write it as the SQL warehouse's connection details show it: "
            "/sql/1.0/warehouses/… without blanks, and without the host"
        )
    return path


class DatabricksSettings(Concern):
    """A SQL warehouse, the sign-in, and the table for readers. Production only.

    Host, path, catalog and schema are empty if not set.
    """

    model_config = SettingsConfigDict(alias_generator=prefixed("DATABRICKS_"))

    host: Annotated[str, AfterValidator(_check_host)] = ""
    """Host name of the workspace, perhaps with a port."""
    http_path: Annotated[str, AfterValidator(_check_http_path)] = ""
    """Path of the SQL warehouse."""
    catalog: Identifier = ""
    """Unity Catalog catalog; empty to sign in without one."""
    schema_name: Identifier = Field(default="", validation_alias="DATABRICKS_SCHEMA")
    """Schema in which dbt builds."""
    token: SecretCredential | None = None
    """Personal access token; or, instead, a service principal (OAuth machine to machine):"""
    client_id: Credential | None = None
    """Its application id."""
    client_secret: SecretCredential | None = None
    """Its OAuth secret."""
    volume: Identifier = "landing"
    """Volume of the schema into which deliveries are uploaded."""
    serving_table: Annotated[
        str,
        matching(
            r"([A-Za-z0-9_-]+\.){0,2}[A-Za-z0-9_-]+",
            "write name, schema.name or catalog.schema.name; only letters A to Z, digits, _ and - "
            "may stand in each",
        ),
    ] = "account_summary_serving"
    """Table for readers: name, schema.name or catalog.schema.name."""
    readers: str = ""
    """Users, groups or principals who may read that table, separated by commas."""
    history_days: int = Field(default=30, ge=1, le=3650)
    """Days for which old versions of that table can be read."""
    retry_seconds: float = Field(default=300.0, ge=0, le=86400, allow_inf_nan=False)
    """How long a transient error is retried, in seconds."""
    ca_file: AnyPath | None = None
    """Certificates to trust instead of the system's (PEM), behind a proxy."""

    def __str__(self) -> str:
        """Return host, catalog and schema."""
        return f"{self.host}/{self.catalog}.{self.schema_name}" if self.catalog else self.host

    @property
    def uri(self) -> str:
        """The address of the Thrift service."""
        return f"https://{self.host}/{self.http_path.lstrip('/')}"

    @property
    def reader_names(self) -> tuple[str, ...]:
        """Who may read the serving table."""
        names = (name.strip() for name in self.readers.split(","))
        return tuple(name for name in names if name)

    @property
    def serving_place(self) -> tuple[str, str, str]:
        """Catalog, schema and name of the serving table."""
        parts = self.serving_table.split(".")
        catalog, schema, table = [self.catalog, self.schema_name][: 3 - len(parts)] + parts
        return catalog, schema, table

    def check_complete(self) -> None:
        """Check that the settings name a SQL warehouse and exactly one way to sign in.

        Raises:
            ValueError: something is missing, or there are two ways.
        """
        values = self.by_variable()
        missing = [name for name in _REQUIRED if not values[name]]
        principal = [name for name in _PRINCIPAL if values[name]]
        if self.token and principal:
            raise ValueError(
                f"DATABRICKS_TOKEN and {principal[0]} are two ways to sign in; leave one out"
            )
        if principal:
            missing += [name for name in _PRINCIPAL if name not in principal]
        elif not self.token:
            missing.append(f"DATABRICKS_TOKEN (or {' and '.join(_PRINCIPAL)})")
        if missing:
            raise ValueError(f"DATABASE_TYPE=databricks also needs {', '.join(missing)}")
