"""Extras of the distribution: packages that only some settings need."""

from importlib.util import find_spec
from typing import Final

from lending_club_pipeline.contract.errors import ConfigurationError

# A module of each extra; if it is found, the extra is installed.
_KNOWN_BY: Final = {
    "aws-secrets": "boto3",
    "azure-secrets": "azure.keyvault.secrets",
    "databricks": "databricks",
    "google-secrets": "google.cloud.secretmanager",
    "operating": "opentelemetry",
    "postgres": "dagster_postgres",
}


def require_extra(extra: str, needed_by: str) -> None:
    """Check that the packages of an extra are installed.

    Args:
        extra: its name in `pyproject.toml`.
        needed_by: the setting or command that needs it.

    Raises:
        ConfigurationError: a package is missing; the text says how to install it.
    """
    if not _is_there(_KNOWN_BY[extra]):
        raise ConfigurationError(
            f"{needed_by} needs the extra `{extra}`: pip install "
            f"'lending-club-pipeline[{extra}]', or `uv sync --extra {extra}` in a checkout."
        )


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        # Even its parent package is missing.
        return False
