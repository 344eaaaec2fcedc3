"""References to secrets in a secret manager, as values of settings."""

import re
from dataclasses import dataclass
from typing import Final

# The form of a reference by its scheme.
SCHEMES: Final = {
    "aws-secretsmanager": "NAME",
    "azure-keyvault": "VAULT/NAME",
    "google-secretmanager": "PROJECT/NAME",
}
_ALLOWED: Final = ", ".join(f"{scheme}:{place}" for scheme, place in SCHEMES.items())
_PATTERNS: Final = {
    # A name or an ARN: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
    "aws-secretsmanager": re.compile(r"(?P<place>)(?P<name>[A-Za-z0-9/_+=.@:-]+)"),
    # The name of a vault, or its host in another cloud than the public one.
    "azure-keyvault": re.compile(r"(?P<place>[A-Za-z0-9.-]+(?::\d+)?)/(?P<name>[A-Za-z0-9-]+)"),
    "google-secretmanager": re.compile(r"(?P<place>[a-z0-9:.-]+)/(?P<name>[A-Za-z0-9_-]+)"),
}
# A text that looks like a reference must be one; otherwise it would be sent as a password.
_SCHEME: Final = re.compile(r"((?:aws|azure|gcp|google)-[a-z-]+):(.*)", re.DOTALL)


@dataclass(frozen=True)
class Reference:
    """A reference to a secret.

    Attributes:
        scheme: the manager, a key of `SCHEMES`.
        place: vault or project; empty if the name suffices.
        name: name of the secret.
        key: the entry of a secret that is a JSON object; empty for the whole secret.
    """

    scheme: str
    place: str
    name: str
    key: str

    @property
    def address(self) -> str:
        """The reference as in a setting, without the entry."""
        return f"{self.place}/{self.name}" if self.place else self.name


def parse_reference(text: str) -> Reference | None:
    """Parse the value of a setting; None if it is the secret itself.

    Args:
        text: such as `aws-secretsmanager:prod/databricks#token`.

    Raises:
        ValueError: it begins like a reference but is not one; its text is not repeated.
    """
    found = _SCHEME.fullmatch(text.strip())
    if found is None:
        return None
    scheme, rest = found.groups()
    name, _, key = rest.partition("#")
    parts = _PATTERNS[scheme].fullmatch(name) if scheme in _PATTERNS else None
    if parts is None or rest.endswith("#"):
        raise ValueError(
            f"write {_ALLOWED}; or, for an entry of a secret that is a JSON object, #KEY behind it"
        )
    return Reference(scheme, parts["place"], parts["name"], key)
