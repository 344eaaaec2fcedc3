"""The client of an object store; obstore is imported here and in its neighbours alone."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, ObjectStore, S3Store

from lending_club_pipeline.config.objects import ObjectSettings
from lending_club_pipeline.contract.errors import ConfigurationError
from lending_club_pipeline.contract.locations import ObjectUrl

if TYPE_CHECKING:
    from obstore.store import AzureConfig, GCSConfig

# A transfer may take as long as it likes while something arrives: `read_timeout` sees to that.
_WHOLE_TRANSFER: Final = timedelta(days=1)
_AZURE_CLOUD: Final = "core.windows.net"


def open_store(url: ObjectUrl, settings: ObjectSettings) -> ObjectStore:
    """Return the client of the bucket or container of a URL; nothing is asked of it yet.

    Args:
        url: an object or prefix.
        settings: how to reach the store, and how it keeps outputs.

    Raises:
        ConfigurationError: a file of certificates cannot be read, or a variable of the library
            holds what it does not know.
    """
    options: dict[str, Any] = {
        "client_options": _client_options(settings),
        "retry_config": {"retry_timeout": timedelta(seconds=settings.retry_seconds)},
    }
    try:
        if url.scheme == "s3":
            return S3Store(url.container, **_s3(settings), **options)
        if url.scheme == "gs":
            address = {"base_url": settings.endpoint} if settings.endpoint else {}
            return GCSStore(url.container, config=cast("GCSConfig", address), **options)
        return _azure(url, settings, options)
    except (BaseError, ValueError) as error:
        raise ConfigurationError(
            f"{url}: the client of this store cannot be made ({_first_line(error)}). Correct the "
            "variables of its credentials."
        ) from None


def _s3(settings: ObjectSettings) -> dict[str, Any]:
    given = {
        "endpoint": settings.endpoint,
        "server_side_encryption": settings.encryption,
        "sse_kms_key_id": settings.kms_key,
    }
    return {name: value for name, value in given.items() if value}


def _azure(url: ObjectUrl, settings: ObjectSettings, options: dict[str, Any]) -> AzureStore:
    container, _, host = url.container.partition("@")
    account, _, cloud = host.partition(".")
    cloud = cloud.partition(".")[2] or _AZURE_CLOUD
    config: dict[str, Any] = {"account_name": account} if account else {}
    if settings.endpoint:
        config["endpoint"] = settings.endpoint
    elif cloud != _AZURE_CLOUD:
        config["endpoint"] = f"https://{account}.blob.{cloud}"
    return AzureStore(container, config=cast("AzureConfig", config), **options)


def _client_options(settings: ObjectSettings) -> dict[str, Any]:
    wait = timedelta(seconds=settings.timeout_seconds)
    options: dict[str, Any] = {
        "timeout": _WHOLE_TRANSFER,
        "read_timeout": wait,
        "connect_timeout": wait,
        # Only a server that somebody named so: the clouds' own are always reached by TLS.
        "allow_http": (settings.endpoint or "").startswith("http://"),
    }
    if settings.ca_file is not None:
        try:
            options["root_certificate"] = settings.ca_file.read_bytes()
        except OSError as error:
            raise ConfigurationError(
                f"OBJECTS_CA_FILE={settings.ca_file} cannot be read ({error.strerror}). Name a "
                "file of certificates (PEM)."
            ) from None
    return options


def _first_line(error: BaseError | ValueError) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
