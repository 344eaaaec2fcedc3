"""Packages that only some settings need, in extras of the distribution."""

from importlib.util import find_spec
from typing import Final

from lending_club_pipeline.contract.errors import ConfigurationError

# A package by which an extra is known to be installed.
_KNOWN_BY: Final = {
    "databricks": "databricks",
    "operating": "opentelemetry",
    "postgres": "dagster_postgres",
}


def require_extra(extra: str, needed_by: str) -> None:
    """Check that the packages of an extra are installed.

    Args:
        extra: its name in `pyproject.toml`.
        needed_by: the setting or command that needs it.

    Raises:
        ConfigurationError: they are not; the text says how to install them.
    """
    if find_spec(_KNOWN_BY[extra]) is None:
        raise ConfigurationError(
            f"{needed_by} needs the extra `{extra}`: pip install "
            f"'lending-club-pipeline[{extra}]', or `uv sync --extra {extra}` in a checkout."
        )
