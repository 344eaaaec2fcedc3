"""All settings, by concern, and the only reader of the environment.

The first source that has a value counts: the environment, `.env` in the working folder, a folder of
secret files (`SECRETS_DIR`, as Kubernetes and Docker mount them). A setting is written in two
places: as a field of its concern, and in `.env.example`.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self, cast

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import DotEnvSettingsSource

from lending_club_pipeline.config import clock
from lending_club_pipeline.config.concern import ENV_FILE, Concern
from lending_club_pipeline.config.databricks import DatabricksSettings
from lending_club_pipeline.config.deliveries import DaySettings, DeliverySettings, OutputSettings
from lending_club_pipeline.config.engine import DbtSettings, DuckDBSettings, EngineSettings
from lending_club_pipeline.config.objects import ObjectSettings
from lending_club_pipeline.config.problems import describe_problems, near_misses, unknown_in_file
from lending_club_pipeline.config.services import (
    DagsterSettings,
    OperatingSettings,
    PostgresSettings,
)
from lending_club_pipeline.contract.errors import ConfigurationError

_SECRETS_DIR: Final = "SECRETS_DIR"


class DataPlatformConfig(BaseModel):
    """All settings of the pipeline, read once at the edge and handed down.

    Attributes:
        engine: the engine that holds the data, and its limits.
        duckdb: the embedded engine.
        databricks: the SQL warehouse.
        dbt: how dbt builds models.
        deliveries: source, calendar and movement limits of deliveries.
        days: business dates, and how long records are kept.
        outputs: place, permissions and currency of outputs.
        objects: object stores of deliveries and outputs.
        dagster: Dagster's folder, configuration and pages.
        postgres: the database that keeps Dagster's history.
        operating: alerts, audit log and metrics.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    engine: EngineSettings
    duckdb: DuckDBSettings
    databricks: DatabricksSettings
    dbt: DbtSettings
    deliveries: DeliverySettings
    days: DaySettings
    outputs: OutputSettings
    objects: ObjectSettings
    dagster: DagsterSettings
    postgres: PostgresSettings
    operating: OperatingSettings

    @model_validator(mode="after")
    def _check_engine(self) -> Self:
        engine, target = self.engine.database_type, self.dbt.target
        if target is not None and target != engine:
            raise ValueError(
                f"DBT_TARGET={target} contradicts DATABASE_TYPE={engine}; "
                "set both to the same engine or leave DBT_TARGET out"
            )
        if engine == "databricks":
            self.databricks.check_complete()
        self.outputs.check_rights()
        self.objects.check_for(self.outputs.path)
        return self

    @classmethod
    def concerns(cls) -> dict[str, type[Concern]]:
        """Return the classes of all concerns, by attribute."""
        fields = cls.model_fields.items()
        return {name: cast("type[Concern]", field.annotation) for name, field in fields}

    @classmethod
    def variables(cls) -> dict[str, FieldInfo]:
        """Return the definition of every setting, by its variable."""
        return {
            variable: field
            for concern in cls.concerns().values()
            for variable, field in concern.variables().items()
        }

    def today(self) -> clock.Today:
        """Return the current business date."""
        return clock.day_of(clock.now(), self.days.business_timezone)

    @property
    def landing(self) -> Path:
        """Absolute folder of the landed Parquet files."""
        return (self.engine.landing_path or self.duckdb.path.parent / "landing").absolute()

    @property
    def dbt_cache(self) -> Path:
        """Folder in which the parsed dbt project is kept."""
        return self.dagster.home.absolute() / "dbt"

    def changed(self, values: Mapping[str, Mapping[str, object]]) -> Self:
        """Return these settings with other values, by concern and field; nothing is read again."""
        parts = {name: getattr(self, name).model_copy(update=it) for name, it in values.items()}
        return self.model_copy(update=parts)

    def as_environment(self) -> dict[str, str]:
        """Every setting as environment variables for another process; secrets are readable."""
        parts = [getattr(self, name).as_environment() for name in self.concerns()]
        return {variable: value for part in parts for variable, value in part.items()}

    def described(self) -> dict[str, str]:
        """Every setting as text for people, secrets masked."""
        parts = [getattr(self, name).by_variable() for name in self.concerns()]
        values = {variable: value for part in parts for variable, value in part.items()}
        return {
            name: "not set" if value in (None, "") else str(value) for name, value in values.items()
        }


def load_settings(overrides: Mapping[str, Any] | None = None) -> DataPlatformConfig:
    """Read the settings from environment, `.env` and secret files.

    Args:
        overrides: values by variable, in lower case, that override all of these (command-line
            options).

    Raises:
        ConfigurationError: a value is not allowed, or a name is unknown; the text names variable,
            value and allowed values.
    """
    secrets_dir = os.environ.get(_SECRETS_DIR)
    given = {name.upper(): value for name, value in (overrides or {}).items() if value is not None}
    if secrets_dir is not None and not Path(secrets_dir).is_dir():
        raise ConfigurationError(
            f"{_SECRETS_DIR}={secrets_dir} is not a folder. Mount the secrets there or unset it."
        )
    try:
        _refuse_unknown_names(secrets_dir)
        settings, problems = _read(secrets_dir, given)
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{ENV_FILE}: byte {error.start + 1} is not valid UTF-8. Save the file as UTF-8."
        ) from None
    except OSError as error:
        raise ConfigurationError(
            f"{error.filename}: these settings cannot be read ({error.strerror}). Give the user "
            "who runs the pipeline the right to read them."
        ) from None
    if settings is None:
        # Raised outside `except`, it does not carry pydantic's error, which may hold secrets.
        raise ConfigurationError(f"{'; '.join(problems)}. See .env.example.")
    return settings


def _read(
    secrets_dir: str | None, given: Mapping[str, Any]
) -> tuple[DataPlatformConfig | None, list[str]]:
    """Return the settings, or all of their problems."""
    parts: dict[str, Concern] = {}
    problems: list[str] = []
    for name, concern in DataPlatformConfig.concerns().items():
        try:
            own = {it: given[it] for it in concern.variables() if it in given}
            parts[name] = concern(_secrets_dir=secrets_dir, **own)
        except ValidationError as error:
            problems += describe_problems(error, {**_variables(), **given})
    try:
        return (None if problems else DataPlatformConfig.model_validate(parts)), problems
    except ValidationError as error:
        return None, describe_problems(error, given)


def _refuse_unknown_names(secrets_dir: str | None) -> None:
    known = [*DataPlatformConfig.variables()]
    secrets = [] if secrets_dir is None else [it.name for it in Path(secrets_dir).iterdir()]
    problems = [
        *unknown_in_file(_from_file(), known),
        *near_misses(map(str.upper, os.environ), [*known, _SECRETS_DIR], "the environment"),
        *near_misses(map(str.upper, secrets), known, _SECRETS_DIR),
    ]
    if problems:
        raise ConfigurationError(f"{' '.join(problems)} See .env.example.")


def _variables() -> dict[str, str | None]:
    """Return all variables of environment and `.env`, by names in capital letters."""
    return {**_from_file(), **{name.upper(): value for name, value in os.environ.items()}}


def _from_file() -> dict[str, str | None]:
    found = DotEnvSettingsSource(Concern, env_file=ENV_FILE).env_vars
    return {name.upper(): value for name, value in found.items()}
