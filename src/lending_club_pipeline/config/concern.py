"""Base class of all concerns of the settings: sources of values, and how values are shown."""

from pathlib import Path
from typing import Any, Final

from pydantic import AliasGenerator, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

ENV_FILE: Final = Path(".env")


def prefixed(prefix: str) -> AliasGenerator:
    """Name the variables of a concern: a prefix with the names of its fields.

    Args:
        prefix: in capital letters, such as `DATABRICKS_`; may be empty.
    """
    return AliasGenerator(validation_alias=lambda name: f"{prefix}{name.upper()}")


class Concern(BaseSettings):
    """Settings that belong together.

    The variable of a field is its `validation_alias`: the prefix of the class with the field's
    name, unless the field names another one. Made by `load_settings` alone.
    """

    model_config = SettingsConfigDict(
        env_file=ENV_FILE,
        env_file_encoding="utf-8",
        # `NAME=` in a file of settings means "not set", not the empty text.
        env_ignore_empty=True,
        extra="ignore",
        alias_generator=prefixed(""),
        frozen=True,
        validate_default=False,
        # Otherwise the text of a validation error would repeat a mistyped secret.
        hide_input_in_errors=True,
    )

    @classmethod
    def variables(cls) -> dict[str, FieldInfo]:
        """Return the definition of each setting, by its variable."""
        return {str(field.validation_alias): field for field in cls.model_fields.values()}

    def by_variable(self) -> dict[str, Any]:
        """Return all values by their variables."""
        fields = type(self).model_fields.items()
        return {str(field.validation_alias): getattr(self, name) for name, field in fields}

    def as_environment(self) -> dict[str, str]:
        """Return all values as variables of another process; secrets are readable."""
        return {variable: _as_text(value) for variable, value in self.by_variable().items()}


def _as_text(value: object) -> str:
    """Return a value as text of a variable; empty means "not set"."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return "" if value is None else str(value)
