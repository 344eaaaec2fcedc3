"""Secrets of Azure Key Vault, by Azure's own client and its usual sign-in."""

from typing import Final

from lending_club_pipeline.contract.errors import SecretError
from lending_club_pipeline.secret_stores.references import Reference

_PUBLIC: Final = ".vault.azure.net"
_FORBIDDEN: Final = 403


def read(reference: Reference) -> str:
    """Return the newest version of a secret.

    Raises:
        SecretError: it cannot be read; the text says which right is missing.
    """
    from azure.core import exceptions  # noqa: PLC0415 - of an extra
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - of an extra
    from azure.keyvault.secrets import SecretClient  # noqa: PLC0415 - of an extra

    host = reference.place if "." in reference.place else reference.place + _PUBLIC
    try:
        with (
            DefaultAzureCredential() as credential,
            SecretClient(f"https://{host}", credential) as client,
        ):
            return client.get_secret(reference.name).value or ""
    except exceptions.ResourceNotFoundError:
        raise SecretError(
            f"{host} has no such secret, or it is deleted. Correct the name, or restore it."
        ) from None
    except exceptions.ClientAuthenticationError:
        raise SecretError(
            "the sign-in at Azure was refused, or Azure cannot be reached. Give this machine a "
            "managed identity (workload identity), or set AZURE_TENANT_ID, AZURE_CLIENT_ID and "
            "AZURE_CLIENT_SECRET; or look at the network (HTTPS_PROXY)."
        ) from None
    except exceptions.HttpResponseError as error:
        if error.status_code == _FORBIDDEN:
            raise SecretError(
                f"this identity may not read it, or it is disabled, or {host} refuses this "
                "network. Grant the role Key Vault Secrets User (or the access policy Get) on it."
            ) from None
        raise SecretError(f"{host} answered {error.status_code}. Try again later.") from None
    except exceptions.AzureError as error:
        raise SecretError(
            f"{host} cannot be reached ({type(error).__name__}). Correct the name of the vault, or "
            "look at the network: a proxy (HTTPS_PROXY), a private endpoint."
        ) from None
