"""Read secrets when they are used."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr

from lending_club_pipeline.contract.errors import SecretError
from lending_club_pipeline.contract.extras import require_extra
from lending_club_pipeline.secret_stores import aws, azure, google
from lending_club_pipeline.secret_stores.references import Reference, parse_reference

# Reader module and extra of each manager.
_READERS: Final[dict[str, tuple[Callable[[Reference], str], str]]] = {
    "aws-secretsmanager": (aws.read, "aws-secrets"),
    "azure-keyvault": (azure.read, "azure-secrets"),
    "google-secretmanager": (google.read, "google-secrets"),
}
# During a problem, a sensor queries the warehouse once a minute: keep the secret meanwhile.
_KEPT_SECONDS: Final = 600.0


@dataclass(frozen=True)
class _Kept:
    value: str
    until: float


_KEPT: Final[dict[Reference, _Kept]] = {}


def secret_value(setting: str, secret: SecretStr) -> str:
    """Return a secret: the setting's value, or the current value in the named secret manager.

    The value is kept in memory for ten minutes, or until `forget_secrets`.

    Args:
        setting: the variable, for errors.
        secret: its value.

    Raises:
        ConfigurationError: the extra that its manager needs is not installed.
        SecretError: it cannot be read; the text names the secret and the remedy.
    """
    text = secret.get_secret_value()
    reference = parse_reference(text)
    if reference is None:
        return text
    kept = _KEPT.get(reference)
    if kept is None or kept.until < time.monotonic():
        read, extra = _READERS[reference.scheme]
        require_extra(extra, f"{setting}={text.strip()}")
        try:
            value = _entry(reference, read(reference))
        except SecretError as error:
            raise SecretError(f"{setting}={text.strip()}: {error}") from None
        kept = _KEPT[reference] = _Kept(value, time.monotonic() + _KEPT_SECONDS)
    return kept.value


def forget_secrets() -> None:
    """Forget all values, because a run begins or a sign-in was refused."""
    _KEPT.clear()


def _entry(reference: Reference, text: str) -> str:
    """Return the secret, or its entry, without a trailing line break.

    Raises:
        SecretError: there is no such entry, or its value cannot be sent.
    """
    value: object = text
    if reference.key:
        try:
            entries = json.loads(text)
        except ValueError:
            entries = None
        if not isinstance(entries, dict) or reference.key not in entries:
            raise SecretError(
                f"the secret is not a JSON object with an entry {reference.key}. Correct the part "
                "behind #, or leave it out to use the whole secret."
            )
        value = entries[reference.key]
    plain = value.strip() if isinstance(value, str) else ""
    if not plain or not plain.isprintable():
        raise SecretError(
            "it holds nothing, or line breaks, which cannot be sent. Store one line of text."
        )
    return plain
