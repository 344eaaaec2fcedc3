"""Errors of object stores in one line: object, problem, remedy."""

import contextlib
import re
from collections.abc import Iterator
from typing import Final

from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    InvalidPathError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)

from lending_club_pipeline.contract.errors import StorageError
from lending_club_pipeline.contract.locations import ObjectUrl

_STATUS: Final = re.compile(r"status code: (\d{3})")
_NO_CONTAINER: Final = re.compile(
    "NoSuchBucket|ContainerNotFound|bucket does not exist", re.IGNORECASE
)
# Texts of the library's errors, each with our message.
_KNOWN: Final = {
    re.compile("configured region|AuthorizationHeaderMalformed"): (
        "this bucket is in another region. Set AWS_REGION to the bucket's own."
    ),
    re.compile("(Content-Length|ETag) Header missing"): (
        "the store does not say how long this object is. Google's does so if a large object is "
        "stored with Content-Encoding: gzip: upload it without this header."
    ),
    # Paths of the platforms' services that give credentials.
    re.compile(
        "/latest/(api/token|meta-data)|/computeMetadata/|/metadata/identity|/oauth2/|credential",
        re.IGNORECASE,
    ): (
        "there are no credentials for this store. Give this process a workload identity, or set "
        "{credentials}."
    ),
}
_EXPIRED: Final = re.compile("ExpiredToken|InvalidToken")
_CREDENTIALS: Final = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "abfss": "AZURE_STORAGE_ACCOUNT_KEY or AZURE_CLIENT_ID",
    "az": "AZURE_STORAGE_ACCOUNT_KEY or AZURE_CLIENT_ID",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
}
_CONDITION: Final = "status code: 412"
_FORBIDDEN: Final = ("401", "403")


@contextlib.contextmanager
def explaining_store(url: ObjectUrl) -> Iterator[None]:
    """Turn an error of the store into one line about an object, without a credential.

    `FileNotFoundError`, and errors of conditions that do not hold, pass: callers handle them.

    Args:
        url: the object, or the prefix.

    Raises:
        StorageError: the store refuses, is not there, or did not answer in time.
    """
    try:
        yield
    except FileNotFoundError as error:
        if _NO_CONTAINER.search(str(error)):
            raise _no_container(url) from None
        raise
    except BaseError as error:
        if isinstance(error, PreconditionError | AlreadyExistsError):
            raise
        if _CONDITION in str(error):
            # The library raises this when it resumes a download and the object changed.
            raise PreconditionError(f"{url}") from None
        # The text of the library may hold headers and addresses, so it is not shown.
        raise _explained(url, error) from None


def _explained(url: ObjectUrl, error: BaseError) -> StorageError:
    said = str(error).partition("\n\nDebug source")[0]
    status = found[1] if (found := _STATUS.search(said)) else ""
    if _NO_CONTAINER.search(said):
        return _no_container(url)
    denied = isinstance(error, PermissionDeniedError | UnauthenticatedError)
    if denied or status in _FORBIDDEN or _EXPIRED.search(said):
        return StorageError(
            f"{url}: the store refuses access{f' ({status})' if status else ''}. Give the identity "
            "of this process the right to it, or check its credentials "
            f"({_CREDENTIALS[url.scheme]})."
        )
    if isinstance(error, InvalidPathError):
        return StorageError(
            f"{url}: the name of an object below it has an empty part. Rename or remove it."
        )
    for pattern, text in _KNOWN.items():
        if pattern.search(said):
            return StorageError(f"{url}: {text.format(credentials=_CREDENTIALS[url.scheme])}")
    reason = f"it answered with status {status}" if status else _transport(said)
    return StorageError(
        f"{url}: the store could not be used: {reason}, and trying again for "
        "OBJECTS_RETRY_SECONDS did not help. Run again when it is there, or check the network and "
        "OBJECTS_ENDPOINT."
    )


def _transport(said: str) -> str:
    """Describe why a request has no answer."""
    if re.search(r"timed out|timeout", said, re.IGNORECASE):
        return "it did not answer in OBJECTS_TIMEOUT_SECONDS"
    if re.search(r"certificate|tls", said, re.IGNORECASE):
        return "its certificate is not trusted (OBJECTS_CA_FILE)"
    return "no whole answer came"


def _no_container(url: ObjectUrl) -> StorageError:
    return StorageError(
        f"{url}: there is no bucket or container {url.container}. Create it, or correct the name "
        "in INPUT_PATH or OUTPUT_PATH."
    )
