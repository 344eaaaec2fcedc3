"""The place of Dagster's history, and a check that it can be reached."""

from typing import Final

from sqlalchemy import URL, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from lending_club_pipeline.config.services import PostgresSettings
from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.errors import ConfigurationError
from lending_club_pipeline.contract.extras import require_extra
from lending_club_pipeline.contract.preflight_results import PreflightResult
from lending_club_pipeline.secret_stores.reading import secret_value

_NAME: Final = "Dagster's history"
_PASSWORD: Final = "DAGSTER_POSTGRES_PASSWORD"  # noqa: S105 - the name of a variable
_CONNECT_SECONDS: Final = 5
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


def check_history(settings: DataPlatformConfig) -> PreflightResult:
    """Check that Dagster's history can be reached with the settings."""
    if settings.postgres.host is None:
        home = settings.dagster.home.absolute()
        return PreflightResult(
            _NAME, "ok", f"in SQLite files of {home} (DAGSTER_POSTGRES_HOST is not set)"
        )
    place = place_in_postgres(settings.postgres)
    try:
        require_extra("postgres", "DAGSTER_POSTGRES_HOST")
        version = _version(settings)
    except ConfigurationError as error:
        return PreflightResult(_NAME, "problem", str(error))
    except SQLAlchemyError as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        return PreflightResult(
            _NAME,
            "problem",
            f"{place} cannot be reached: {reason}; correct the DAGSTER_POSTGRES_ settings, or let "
            "the server's firewall and pg_hba.conf accept this machine",
        )
    mode = settings.postgres.sslmode
    if not mode.startswith("verify-") and settings.postgres.host not in _LOOPBACK:
        return PreflightResult(
            _NAME,
            "warning",
            f"{place}, PostgreSQL {version}; DAGSTER_POSTGRES_SSLMODE={mode} does not check who "
            "answers: set verify-full unless the network is yours alone",
        )
    return PreflightResult(_NAME, "ok", f"{place}, PostgreSQL {version}, sslmode {mode}")


def place_in_postgres(postgres: PostgresSettings) -> str:
    """Return the name of a Postgres database for people, without the password."""
    return f"{postgres.user}@{postgres.host}:{postgres.port}/{postgres.db}"


def password_environment(postgres: PostgresSettings) -> dict[str, str]:
    """Return the variables of Dagster's configuration that hold secrets, which are never written.

    Raises:
        SecretError: the manager that holds the password does not give it.
    """
    password = postgres.password
    return {} if password is None else {_PASSWORD: secret_value(_PASSWORD, password)}


def _version(settings: DataPlatformConfig) -> str:
    url = URL.create(
        "postgresql+psycopg2",
        settings.postgres.user,
        password_environment(settings.postgres).get(_PASSWORD),
        settings.postgres.host,
        settings.postgres.port,
        settings.postgres.db,
        settings.postgres.parameters,
    )
    engine = create_engine(url, connect_args={"connect_timeout": _CONNECT_SECONDS})
    try:
        with engine.connect() as connection:
            return str(connection.execute(text("show server_version")).scalar_one())
    finally:
        engine.dispose()
