"""Secrets of Google Secret Manager, by Google's own client and its usual sign-in."""

from lending_club_pipeline.contract.errors import SecretError
from lending_club_pipeline.secret_stores.references import Reference


def read(reference: Reference) -> str:
    """Return the newest version of a secret.

    Raises:
        SecretError: it cannot be read; the text says which right is missing.
    """
    from google.api_core import exceptions  # noqa: PLC0415 - of an extra
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 - of an extra
    from google.cloud.secretmanager import (  # noqa: PLC0415 - of an extra
        SecretManagerServiceClient,
    )

    name = f"projects/{reference.place}/secrets/{reference.name}/versions/latest"
    try:
        # By HTTPS, which uses the same proxy and certificates as our other connections.
        with SecretManagerServiceClient(transport="rest") as client:
            payload: bytes = client.access_secret_version(name=name).payload.data
        return payload.decode()
    except (GoogleAuthError, exceptions.Unauthorized):
        raise SecretError(
            "the sign-in at Google was refused. Give this machine a service account (workload "
            "identity), or set GOOGLE_APPLICATION_CREDENTIALS to its file."
        ) from None
    except exceptions.NotFound:
        raise SecretError(
            "there is no such secret, or it has no version. Correct project and name."
        ) from None
    except exceptions.Forbidden:
        raise SecretError(
            "this identity may not read it. Grant roles/secretmanager.secretAccessor "
            "(secretmanager.versions.access) on it."
        ) from None
    except exceptions.BadRequest:
        raise SecretError("its newest version is disabled. Enable it, or add another.") from None
    except UnicodeDecodeError:
        raise SecretError("it is not text in UTF-8. Store one line of text.") from None
    except (exceptions.GoogleAPIError, OSError) as error:
        raise SecretError(
            f"Google Secret Manager cannot be reached ({type(error).__name__}). Look at the "
            "network: a proxy (HTTPS_PROXY), Private Google Access."
        ) from None
