"""The only reader of the environment: validated, typed, secret-aware.

Values come, in this order, from the environment, from `.env` in the working folder, and from a
folder of secret files (`SECRETS_DIR`, as Kubernetes and Docker mount them). Every variable stands
in `.env.example`.
"""

import datetime as dt
import os
import re
import ssl
from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, DotEnvSettingsSource, SettingsConfigDict

from lending_club_pipeline.config import clock
from lending_club_pipeline.config.calendars import Calendar, parse_deadline, parse_holidays
from lending_club_pipeline.config.movement_limits import parse_movement_limits
from lending_club_pipeline.config.names import near_misses, unknown_in_file
from lending_club_pipeline.config.paths import (
    AnyPath,
    DatabaseFile,
    HistoryFolder,
    LandingFolder,
    parse_mode,
)
from lending_club_pipeline.contract.errors import ConfigurationError

DatabaseType = Literal["duckdb", "databricks"]
# Those of libpq; the first three accept a connection that is not encrypted.
SslMode = Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]

_ENV_FILE: Final = Path(".env")
_SECRETS_DIR: Final = "SECRETS_DIR"

_BYTE_UNITS: Final = {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
_BYTE_UNITS_DECIMAL: Final = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_MEMORY: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]i?B)\s*", re.IGNORECASE)

# What Python, Dagster, dbt and Arrow themselves take beside the engine: measured 330 MB on the
# sample delivery, rounded up.
_PROCESS_OVERHEAD_BYTES: Final = 400 * 2**20
# The engine takes more than its bound, the more the larger it is: the process held 660 MiB beyond
# it with a limit of 2 GiB after a dozen runs, and 1,260 MiB with 8 GiB.
_BEYOND_BOUND_PARTS: Final = 8
_SPLITTING_BYTES: Final = 128 * 2**20
_LEAST_MEMORY_BYTES: Final = 768 * 2**20

_HOST: Final = re.compile(r"[A-Za-z0-9.-]+(?::\d{1,5})?")
_HTTP_PATH: Final = re.compile(r"(?:/[A-Za-z0-9_.-]+)+(?:\?o=\d+)?")
_PRINTABLE: Final = re.compile(r"[!-~]+")

# libpq's own name for them needs an OpenSSL that knows where they are.
_SYSTEM_CERTIFICATES: Final = ssl.get_default_verify_paths().cafile or "system"
_CURRENCY: Final = r"^[A-Z]{3}$"
_IDENTIFIER: Final = r"^[A-Za-z0-9_-]+$"
_QUALIFIED_IDENTIFIER: Final = r"^([A-Za-z0-9_-]+\.){0,2}[A-Za-z0-9_-]+$"
# What is allowed, by how pydantic names what is wrong; its own words are for programmers.
_ALLOWED: Final = {
    "int_parsing": "write a whole number",
    "int_from_float": "write a whole number",
    "float_parsing": "write a number",
    "finite_number": "write a number that is not infinite",
    "greater_than_equal": "must be {ge:g} or more",
    "less_than_equal": "must be {le:g} or less",
    "literal_error": "write {expected}",
    "date_from_datetime_parsing": "write a date as YYYY-MM-DD",
    "date_from_datetime_inexact": "write a date as YYYY-MM-DD",
    "date_parsing": "write a date as YYYY-MM-DD",
}
_ALLOWED_TEXTS: Final = {
    _CURRENCY: "write the three capital letters of its ISO 4217 code, such as USD",
    _IDENTIFIER: "only letters A to Z, digits, _ and - may stand in a name",
    _QUALIFIED_IDENTIFIER: "write name, schema.name or catalog.schema.name; only letters A to Z, "
    "digits, _ and - may stand in each",
}


def parse_bytes(text: str) -> int:
    """Read a size such as `2GiB` or `500 MB` as a number of bytes.

    Raises:
        ValueError: the text is no number followed by a unit (KB, KiB, … TiB).
    """
    match = _MEMORY.fullmatch(text)
    if match is None:
        raise ValueError("write a number and a unit, such as 2GiB or 1500MB")
    units = _BYTE_UNITS | _BYTE_UNITS_DECIMAL
    return int(float(match[1]) * units[match[2].upper()])


class DataPlatformConfig(BaseSettings):
    """All settings of the pipeline, read once at the edge and handed down.

    Attributes:
        database_type: engine that holds the data: `duckdb` (embedded) or `databricks`.
        dbt_target: dbt target; follows `database_type` and may not contradict it.
        dbt_threads: models that dbt builds at the same time.
        dbt_intermediate_as: intermediate models inside the models that use them (`ephemeral`), or
            as views of their own, to look into them (`view`).
        duckdb_path: database file of the embedded engine.
        duckdb_threads: threads of the embedded engine; all cores when it is not set.
        memory_limit: upper bound for the memory of the whole process, such as `2GiB`.
        lock_wait_seconds: how long a run waits for another one to release the database.
        input_path: folder in which deliveries arrive.
        delivery_source: name of the sender; a database holds the deliveries of one sender alone.
        output_path: folder in which outputs are published.
        output_mode: permission bits of the published files, in octal digits.
        output_group: group of the published files, by name or number.
        landing_path: folder of the landed Parquet; beside the database when it is not set.
        business_timezone: IANA name of the time zone in which it is decided what today is.
        first_as_of_date: first business date that has a partition; earlier ones are refused.
        backfill_days_per_run: most deliveries that a backfill processes in one run.
        sensor_settle_seconds: age that a file must have before the sensor takes it.
        movement_limits: by how many percent a delivery may move against the one before it, such as
            `balance=10,accounts=5`; nothing is limited when it is not set.
        currency: of all balances and interest, as its ISO 4217 code; it is shown, never converted.
        delivery_calendar: on which days a delivery is expected: `every_day` or `weekdays`.
        delivery_holidays: days on which none is, as YYYY-MM-DD, separated by commas.
        delivery_deadline: by when the delivery of a day has to be processed, such as `08:00`, or
            `08:00+1` on the day after; nothing is late when it is not set.
        retention_days: days before the newest processed one of which records are kept; all are when
            it is not set.
        databricks_host: workspace host name, production only; so are the others of this name.
        databricks_token: personal access token; or, instead of it:
        databricks_client_id: application id of a service principal (OAuth machine to machine).
        databricks_client_secret: its OAuth secret.
        databricks_http_path: path of the SQL warehouse.
        databricks_catalog: Unity Catalog catalog.
        databricks_schema: schema that dbt builds in.
        databricks_volume: volume of that schema into which deliveries are uploaded.
        databricks_serving_table: table that readers use: name, schema.name or catalog.schema.name.
        databricks_readers: users, groups or principals who may read it, separated by commas.
        databricks_history_days: days for which the serving table can be read as it was.
        databricks_retry_seconds: how long a transient fault is retried.
        databricks_ca_file: certificates to trust instead of the system's (PEM), behind a proxy.
        delivery_sensor: whether the sensor for new deliveries begins `running` or `stopped`, until
            somebody switches it in Dagster.
        dagster_home: folder of Dagster's configuration, and of its history where that is in SQLite.
        dagster_postgres_host: server of the Postgres database that keeps Dagster's history; SQLite
            files in `dagster_home` keep it when it is not set.
        dagster_postgres_port: its port.
        dagster_postgres_user: role to sign in as.
        dagster_postgres_password: the role's password; none is sent when it is not set.
        dagster_postgres_db: name of the database.
        dagster_postgres_sslmode: what libpq demands of the connection; `verify-full` encrypts it
            and checks who answers.
        dagster_postgres_ca_file: certificates to trust (PEM); the system's when it is not set.
        dagster_additions: a YAML file; its sections replace those of Dagster's configuration.
        dagster_url: address of Dagster's pages, to which alerts lead.
        alertmanager_url: address of Alertmanager; no alerts are sent when it is not set.
        audit_log: file to which commands that change or show personal data add a line.
        metrics_host: address on which `lending-club metrics` listens.
        metrics_port: its port.
        otlp_endpoint: address that takes metrics by OTLP over HTTP, such as
            `https://otlp.nr-data.net/v1/metrics`; nothing is pushed when it is not set.
        otlp_headers: what goes with each push, such as `api-key=…`, separated by commas.
        otlp_interval_seconds: time between two pushes.
    """

    model_config = SettingsConfigDict(
        env_file=_ENV_FILE,
        env_file_encoding="utf-8",
        # `NAME=` in a file of settings means that nobody set it, not the empty text.
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        # The text of a validation error would otherwise repeat a secret that was mistyped.
        hide_input_in_errors=True,
    )

    database_type: DatabaseType = "duckdb"
    dbt_target: DatabaseType | None = None
    dbt_threads: int = Field(default=1, ge=1, le=64)
    dbt_intermediate_as: Literal["ephemeral", "view"] = "ephemeral"
    duckdb_path: DatabaseFile = Path("data/lending_club.duckdb")
    duckdb_threads: int | None = Field(default=None, ge=1, le=1024)
    memory_limit: str = "2GiB"
    lock_wait_seconds: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    input_path: AnyPath = Path("data/inputs")
    delivery_source: str = ""
    output_path: AnyPath = Path("data/outputs")
    output_mode: str = "0600"
    output_group: str | None = None
    landing_path: LandingFolder | None = None
    business_timezone: str = clock.UTC_NAME
    first_as_of_date: dt.date = dt.date(2020, 1, 1)
    backfill_days_per_run: int = Field(default=31, ge=1, le=3650)
    sensor_settle_seconds: float = Field(default=30.0, ge=0, allow_inf_nan=False)
    movement_limits: str = ""
    currency: str = Field(default="USD", pattern=_CURRENCY)
    delivery_calendar: Calendar = "every_day"
    delivery_holidays: str = ""
    delivery_deadline: str = ""
    retention_days: int | None = Field(default=None, ge=1, le=36500)
    databricks_host: str | None = None
    databricks_token: SecretStr | None = None
    databricks_client_id: str | None = None
    databricks_client_secret: SecretStr | None = None
    databricks_http_path: str | None = None
    databricks_catalog: str | None = Field(default=None, pattern=_IDENTIFIER)
    databricks_schema: str | None = Field(default=None, pattern=_IDENTIFIER)
    databricks_volume: str = Field(default="landing", pattern=_IDENTIFIER)
    databricks_serving_table: str = Field(
        default="account_summary_serving", pattern=_QUALIFIED_IDENTIFIER
    )
    databricks_readers: str = ""
    databricks_history_days: int = Field(default=30, ge=1, le=3650)
    databricks_retry_seconds: float = Field(default=300.0, ge=0, le=86400, allow_inf_nan=False)
    databricks_ca_file: AnyPath | None = None
    delivery_sensor: Literal["stopped", "running"] = "stopped"
    dagster_home: HistoryFolder = Path(".dagster")
    dagster_postgres_host: str | None = None
    dagster_postgres_port: int = Field(default=5432, ge=1, le=65535)
    dagster_postgres_user: str = "dagster"
    dagster_postgres_password: SecretStr | None = None
    dagster_postgres_db: str = "dagster"
    dagster_postgres_sslmode: SslMode = "verify-full"
    dagster_postgres_ca_file: AnyPath | None = None
    dagster_additions: AnyPath | None = None
    dagster_url: str = "http://localhost:3000"
    alertmanager_url: str | None = None
    audit_log: AnyPath | None = None
    metrics_host: str = "127.0.0.1"
    metrics_port: int = Field(default=9464, ge=1, le=65535)
    otlp_endpoint: str | None = None
    otlp_headers: SecretStr | None = None
    otlp_interval_seconds: float = Field(default=60.0, ge=1, le=3600, allow_inf_nan=False)

    @field_validator("memory_limit")
    @classmethod
    def _is_enough_memory(cls, value: str) -> str:
        if parse_bytes(value) < _LEAST_MEMORY_BYTES:
            raise ValueError("must be 768MiB or more: Python, Dagster and dbt alone take 400MiB")
        return value

    @field_validator("business_timezone")
    @classmethod
    def _is_a_timezone(cls, value: str) -> str:
        return clock.parse_timezone(value)

    @field_validator("output_mode")
    @classmethod
    def _is_a_mode(cls, value: str) -> str:
        parse_mode(value)
        return value

    @field_validator("movement_limits")
    @classmethod
    def _are_movement_limits(cls, value: str) -> str:
        parse_movement_limits(value)
        return value

    @field_validator("delivery_holidays")
    @classmethod
    def _are_holidays(cls, value: str) -> str:
        parse_holidays(value)
        return value

    @field_validator("delivery_deadline")
    @classmethod
    def _is_a_deadline(cls, value: str) -> str:
        parse_deadline(value)
        return value

    @field_validator("dagster_url", "alertmanager_url", "otlp_endpoint")
    @classmethod
    def _is_a_web_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not value.startswith(("http://", "https://")) or "@" in value:
            raise ValueError("write an address with http:// or https://, and without a password")
        return value.rstrip("/")

    @field_validator("databricks_host")
    @classmethod
    def _is_a_host_name(cls, value: str | None) -> str | None:
        host = None if value is None else value.strip().rstrip("/")
        if host is not None and not _HOST.fullmatch(host):
            raise ValueError("must be a host name without https:// and without a path")
        return host

    @field_validator("databricks_http_path")
    @classmethod
    def _is_a_path_of_a_warehouse(cls, value: str | None) -> str | None:
        path = None if value is None else "/" + value.strip().strip("/")
        if path is not None and not _HTTP_PATH.fullmatch(path):
            raise ValueError(
                "write it as the SQL warehouse's connection details show it: "
                "/sql/1.0/warehouses/… without blanks, and without the host"
            )
        return path

    @field_validator(
        "databricks_token", "databricks_client_id", "databricks_client_secret", mode="before"
    )
    @classmethod
    def _can_be_sent(cls, value: object) -> object:
        given = value.get_secret_value() if isinstance(value, SecretStr) else value
        if not isinstance(given, str):
            return value
        # Files of secrets and what is pasted from a page often end with a line break.
        plain = given.strip()
        if not _PRINTABLE.fullmatch(plain):
            raise ValueError(
                "no blank, line break or letter beyond ASCII may stand in it, and it may not be "
                "empty. Copy it once more"
            )
        return plain

    @model_validator(mode="after")
    def _is_consistent(self) -> "DataPlatformConfig":
        if self.dbt_target is not None and self.dbt_target != self.database_type:
            raise ValueError(
                f"DBT_TARGET={self.dbt_target} contradicts DATABASE_TYPE={self.database_type}; "
                "set both to the same engine or leave DBT_TARGET out"
            )
        if self.database_type == "databricks":
            self._is_complete_for_databricks()
        return self

    def _is_complete_for_databricks(self) -> None:
        given = {name for name in _DATABRICKS_VARIABLES if getattr(self, name.lower())}
        missing = [name for name in _DATABRICKS_REQUIRED if name not in given]
        principal = [name for name in _DATABRICKS_PRINCIPAL if name in given]
        if _DATABRICKS_TOKEN in given and principal:
            raise ValueError(
                f"{_DATABRICKS_TOKEN} and {principal[0]} are two ways to sign in; leave one out"
            )
        if principal:
            missing += [name for name in _DATABRICKS_PRINCIPAL if name not in given]
        elif _DATABRICKS_TOKEN not in given:
            missing.append(f"{_DATABRICKS_TOKEN} (or {' and '.join(_DATABRICKS_PRINCIPAL)})")
        if missing:
            raise ValueError(f"DATABASE_TYPE=databricks also needs {', '.join(missing)}")

    def today(self) -> clock.Today:
        """Return the current business date."""
        return clock.day_of(clock.now(), self.business_timezone)

    @property
    def output_mode_bits(self) -> int:
        """Permission bits of the published files."""
        return parse_mode(self.output_mode)

    @property
    def movement_percents(self) -> dict[str, Decimal]:
        """By how many percent each measure may move; one that is not named may as it likes."""
        return parse_movement_limits(self.movement_limits)

    @property
    def delivery_holiday_dates(self) -> frozenset[dt.date]:
        """Days on which no delivery is expected, whatever day of the week they are."""
        return parse_holidays(self.delivery_holidays)

    @property
    def databricks_reader_names(self) -> tuple[str, ...]:
        """Who may read the serving table."""
        names = (name.strip() for name in self.databricks_readers.split(","))
        return tuple(name for name in names if name)

    @property
    def target(self) -> DatabaseType:
        """The dbt target, which is the engine."""
        return self.database_type

    @cached_property
    def landing(self) -> Path:
        """Absolute folder of the landed Parquet files."""
        return (self.landing_path or self.duckdb_path.parent / "landing").absolute()

    @property
    def dbt_environment(self) -> dict[str, str]:
        """What the dbt project reads when it is parsed, beside what its warehouse gives."""
        return {"DBT_INTERMEDIATE_AS": self.dbt_intermediate_as}

    @property
    def dagster_environment(self) -> dict[str, str]:
        """What Dagster's configuration takes from the environment: secrets are not written."""
        password = self.dagster_postgres_password
        name = "DAGSTER_POSTGRES_PASSWORD"
        return {} if password is None else {name: password.get_secret_value()}

    @property
    def dagster_postgres_parameters(self) -> dict[str, str]:
        """Parameters of libpq for the connection to Dagster's history."""
        mode = self.dagster_postgres_sslmode
        if not mode.startswith("verify-"):
            return {"sslmode": mode}
        authorities = self.dagster_postgres_ca_file or _SYSTEM_CERTIFICATES
        return {"sslmode": mode, "sslrootcert": str(authorities)}

    @property
    def dbt_cache(self) -> Path:
        """Folder in which the parsed dbt project is kept."""
        return self.dagster_home.absolute() / "dbt"

    @cached_property
    def engine_memory_bytes(self) -> int:
        """The bound of the engine so that the process keeps to `memory_limit`, in bytes.

        With Databricks that engine only splits a delivery, for which little is enough.
        """
        limit = parse_bytes(self.memory_limit)
        left = limit - _PROCESS_OVERHEAD_BYTES - limit // _BEYOND_BOUND_PARTS
        return left if self.database_type == "duckdb" else min(left, _SPLITTING_BYTES)

    def as_environment(self) -> dict[str, str]:
        """Every setting as environment variables for another process; secrets are readable."""
        fields = type(self).model_fields
        return {name.upper(): _as_text(getattr(self, name)) for name in fields}

    def described(self) -> dict[str, str]:
        """Every setting as text for people, secrets masked."""
        values = ((name.upper(), getattr(self, name)) for name in type(self).model_fields)
        return {name: "not set" if value is None else str(value) for name, value in values}


_DATABRICKS_REQUIRED: Final = (
    "DATABRICKS_HOST",
    "DATABRICKS_HTTP_PATH",
    "DATABRICKS_CATALOG",
    "DATABRICKS_SCHEMA",
)
_DATABRICKS_TOKEN: Final = "DATABRICKS_TOKEN"  # noqa: S105 - the name of the variable
_DATABRICKS_PRINCIPAL: Final = ("DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET")
_DATABRICKS_VARIABLES: Final = (*_DATABRICKS_REQUIRED, _DATABRICKS_TOKEN, *_DATABRICKS_PRINCIPAL)


def _as_text(value: object) -> str:
    """Return a value as a variable has it; an empty variable is one that nobody set."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return "" if value is None else str(value)


def load_settings(overrides: Mapping[str, Any] | None = None) -> DataPlatformConfig:
    """Read the settings from environment, `.env` and secret files.

    Args:
        overrides: values by field name that win over all of these (command-line options).

    Raises:
        ConfigurationError: a value is not allowed, or a name is unknown; the text names variable,
            value and what is.
    """
    secrets_dir = os.environ.get(_SECRETS_DIR)
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    if secrets_dir is not None and not Path(secrets_dir).is_dir():
        raise ConfigurationError(
            f"{_SECRETS_DIR}={secrets_dir} is no folder. Mount the secrets there or unset it."
        )
    try:
        _refuse_unknown_names(secrets_dir)
        return DataPlatformConfig(_secrets_dir=secrets_dir, **given)
    except ValidationError as error:
        problem = _explained(error, given)
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{_ENV_FILE}: byte {error.start + 1} is not valid UTF-8. Save the file as UTF-8."
        ) from None
    except OSError as error:
        raise ConfigurationError(
            f"{error.filename}: these settings cannot be read ({error.strerror}). Give the user "
            "who runs the pipeline the right to read them."
        ) from None
    # Raised out here, it does not carry pydantic's error along, which holds the values: secrets.
    raise ConfigurationError(problem)


def _refuse_unknown_names(secrets_dir: str | None) -> None:
    known = [name.upper() for name in DataPlatformConfig.model_fields]
    secrets = [] if secrets_dir is None else [it.name for it in Path(secrets_dir).iterdir()]
    problems = [
        *unknown_in_file((name.upper() for name in _from_file()), known),
        *near_misses(map(str.upper, os.environ), [*known, _SECRETS_DIR], "the environment"),
        *near_misses(map(str.upper, secrets), known, _SECRETS_DIR),
    ]
    if problems:
        raise ConfigurationError(f"{' '.join(problems)} See .env.example.")


def _explained(error: ValidationError, given: Mapping[str, Any]) -> str:
    """Say in one line which variables are wrong, their values, and what is allowed."""
    problems = []
    for item in error.errors(include_url=False, include_input=False):
        message = _allowed(item)
        if not item["loc"]:
            problems.append(message)
            continue
        field = str(item["loc"][0])
        shown = _shown_value(field, given)
        problems.append(f"{field.upper()}{shown} is not allowed: {message}")
    return "; ".join(problems) + ". See .env.example."


def _allowed(item: ErrorDetails) -> str:
    """Say what is allowed instead of a value, as far as possible in our own words."""
    context = item.get("ctx", {})
    if item["type"] == "string_pattern_mismatch":
        return _ALLOWED_TEXTS[context["pattern"]]
    if item["type"] in _ALLOWED:
        return _ALLOWED[item["type"]].format_map(context)
    if item["type"] == "value_error":
        return item["msg"].removeprefix("Value error, ")
    return _lower_first(item["msg"])


def _shown_value(field: str, given: Mapping[str, Any]) -> str:
    if any(word in field for word in ("token", "secret", "password", "headers")):
        return ""
    value = given.get(field, _variables().get(field))
    return "" if value is None else f"={' '.join(str(value).split())}"


def _variables() -> Mapping[str, str | None]:
    """Return what environment and `.env` hold, by names in lower case."""
    return {**_from_file(), **{name.lower(): value for name, value in os.environ.items()}}


def _from_file() -> Mapping[str, str | None]:
    return DotEnvSettingsSource(DataPlatformConfig, env_file=_ENV_FILE).env_vars


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
