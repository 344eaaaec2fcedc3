"""Settings of the services: Dagster and its history, alerts, the audit log and metrics."""

import ssl
from pathlib import Path
from typing import Final, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from lending_club_pipeline.config.concern import Concern, prefixed
from lending_club_pipeline.config.paths import AnyPath, HistoryFolder
from lending_club_pipeline.config.values import Secret, WebAddress

# The modes of libpq; the first three accept a connection that is not encrypted.
SslMode = Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
# libpq's own name for the system's certificates needs an OpenSSL that knows where they are.
_SYSTEM_CERTIFICATES: Final = ssl.get_default_verify_paths().cafile or "system"


class DagsterSettings(Concern):
    """Dagster's folder, configuration and pages."""

    model_config = SettingsConfigDict(alias_generator=prefixed("DAGSTER_"))

    home: HistoryFolder = Path(".dagster")
    """Folder of Dagster's configuration, and of its history if that is in SQLite."""
    additions: AnyPath | None = None
    """A YAML file; its sections replace those of Dagster's configuration."""
    url: WebAddress = "http://localhost:3000"
    """Address of Dagster's pages, for links in alerts."""


class PostgresSettings(Concern):
    """The Postgres database that keeps Dagster's history."""

    model_config = SettingsConfigDict(alias_generator=prefixed("DAGSTER_POSTGRES_"))

    host: str | None = None
    """Its server; SQLite files in DAGSTER_HOME keep the history if it is not set."""
    port: int = Field(default=5432, ge=1, le=65535)
    """Port of the server."""
    user: str = "dagster"
    """Role to sign in as."""
    password: Secret | None = None
    """The role's password; none is sent if it is not set."""
    db: str = "dagster"
    """Name of the database."""
    sslmode: SslMode = "verify-full"
    """libpq's TLS mode; `verify-full` encrypts the connection and verifies the server."""
    ca_file: AnyPath | None = None
    """Certificates to trust (PEM); the system's if it is not set."""

    @property
    def parameters(self) -> dict[str, str]:
        """Parameters of libpq for the connection."""
        if not self.sslmode.startswith("verify-"):
            return {"sslmode": self.sslmode}
        authorities = self.ca_file or _SYSTEM_CERTIFICATES
        return {"sslmode": self.sslmode, "sslrootcert": str(authorities)}


class OperatingSettings(Concern):
    """Settings of alerts, audit and measurements."""

    alertmanager_url: WebAddress | None = None
    """Address of Alertmanager; no alerts are sent if it is not set."""
    audit_log: AnyPath | None = None
    """File to which commands that change or show personal data add a line."""
    metrics_host: str = "127.0.0.1"
    """Address on which `lending-club metrics` listens."""
    metrics_port: int = Field(default=9464, ge=1, le=65535)
    """Its port."""
    otlp_endpoint: WebAddress | None = None
    """Endpoint for metrics by OTLP over HTTP, such as `https://otlp.nr-data.net/v1/metrics`;
    nothing is pushed if it is not set."""
    otlp_headers: Secret | None = None
    """Headers of each push, such as `api-key=…`, separated by commas."""
    otlp_interval_seconds: float = Field(default=60.0, ge=1, le=3600, allow_inf_nan=False)
    """Seconds between two pushes."""
