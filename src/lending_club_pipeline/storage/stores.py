"""The client of an object store; only modules of this folder import obstore."""

from datetime import timedelta
from typing import Any, Final

from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, ObjectStore, S3Store

from lending_club_pipeline.config.objects import ObjectSettings
from lending_club_pipeline.contract.errors import ConfigurationError
from lending_club_pipeline.contract.locations import ObjectUrl

# A transfer may take any time while data arrives: `read_timeout` limits only the pauses.
_WHOLE_TRANSFER: Final = timedelta(days=1)
_AZURE_CLOUD: Final = "core.windows.net"


def open_store(url: ObjectUrl, settings: ObjectSettings) -> ObjectStore:
    """Return the client of the bucket or container of a URL, without a request.

    Args:
        url: an object or prefix.
        settings: settings of object stores.

    Raises:
        ConfigurationError: a file of certificates cannot be read, or a variable of the library
            has an unknown value.
    """
    given: Any = client_arguments(url, settings)
    make: Any = {"s3": S3Store, "gs": GCSStore}.get(url.scheme, AzureStore)
    try:
        store: ObjectStore = make(url.container.partition("@")[0], **given)
    except (BaseError, ValueError) as error:
        raise ConfigurationError(
            f"{url}: the client of this store cannot be made ({_first_line(error)}). Correct the "
            "variables of its credentials."
        ) from None
    return store


def client_arguments(url: ObjectUrl, settings: ObjectSettings) -> dict[str, Any]:
    """Return the arguments of obstore besides the name of the bucket or container."""
    config = {"s3": _s3, "gs": _google}.get(url.scheme, _azure)(url, settings)
    return {
        "config": {name: value for name, value in config.items() if value},
        "client_options": _client_options(url, settings),
        "retry_config": {"retry_timeout": timedelta(seconds=settings.retry_seconds)},
    }


def _s3(_: ObjectUrl, settings: ObjectSettings) -> dict[str, str | None]:
    return {
        "endpoint": settings.endpoint,
        "server_side_encryption": settings.encryption,
        "sse_kms_key_id": settings.kms_key,
    }


def _google(_: ObjectUrl, settings: ObjectSettings) -> dict[str, str | None]:
    return {"base_url": settings.endpoint}


def _azure(url: ObjectUrl, settings: ObjectSettings) -> dict[str, str | None]:
    account, _, host = url.container.partition("@")[2].partition(".")
    cloud = host.partition(".")[2]
    # Azure's other clouds have other host names.
    own = f"https://{account}.blob.{cloud}" if cloud not in ("", _AZURE_CLOUD) else None
    return {"account_name": account, "endpoint": settings.endpoint or own}


def _client_options(url: ObjectUrl, settings: ObjectSettings) -> dict[str, Any]:
    wait = timedelta(seconds=settings.timeout_seconds)
    options: dict[str, Any] = {
        "timeout": _WHOLE_TRANSFER,
        "read_timeout": wait,
        "connect_timeout": wait,
        # Only for a configured server with http://: the clouds' own are always reached by TLS.
        "allow_http": (settings.endpoint or "").startswith("http://"),
    }
    if url.scheme == "gs":
        # Else Google unpacks objects of `Content-Encoding: gzip`, which then have another size
        # than in the list, no ETag, and come from the beginning whatever is asked for.
        options["default_headers"] = {"Accept-Encoding": "gzip"}
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
