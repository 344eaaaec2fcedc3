"""Types of values in settings, with the errors for wrong values."""

import re
from collections.abc import Callable
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, SecretStr

from lending_club_pipeline.secret_stores.references import parse_reference

_BYTE_UNITS: Final = {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
_BYTE_UNITS_DECIMAL: Final = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_MEMORY: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]i?B)\s*", re.IGNORECASE)
_PRINTABLE: Final = re.compile(r"[!-~]+")


def parse_bytes(text: str) -> int:
    """Parse a size such as `2GiB` or `500 MB` as a number of bytes.

    Raises:
        ValueError: the text is not a number followed by a unit (KB, KiB, … TiB).
    """
    match = _MEMORY.fullmatch(text)
    if match is None:
        raise ValueError("write a number and a unit, such as 2GiB or 1500MB")
    units = _BYTE_UNITS | _BYTE_UNITS_DECIMAL
    return int(float(match[1]) * units[match[2].upper()])


def matching(pattern: str, allowed: str) -> AfterValidator:
    """Make the validator of a text that must match a whole pattern.

    Args:
        pattern: a regular expression.
        allowed: the allowed form, for the error.
    """

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(allowed)
        return text

    return AfterValidator(check)


def read_by(parse: Callable[[str], object]) -> AfterValidator:
    """Make the validator of a text that a function can parse; the setting keeps the text.

    Args:
        parse: raises ValueError with the allowed form.
    """

    def check(text: str) -> str:
        parse(text)
        return text

    return AfterValidator(check)


def _check_web_address(text: str) -> str:
    if not text.startswith(("http://", "https://")) or "@" in text:
        raise ValueError("write an address with http:// or https://, and without a password")
    return text.rstrip("/")


def _strip_credential(value: object) -> object:
    given = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not isinstance(given, str):
        return value
    # Files of secrets and pasted texts often end with a line break.
    plain = given.strip()
    if not _PRINTABLE.fullmatch(plain):
        raise ValueError(
            "no blank, line break or letter beyond ASCII may stand in it, and it may not be "
            "empty. Copy it once more"
        )
    return plain


def _check_reference(secret: SecretStr) -> SecretStr:
    parse_reference(secret.get_secret_value())
    return secret


WebAddress = Annotated[str, AfterValidator(_check_web_address)]
Identifier = Annotated[
    str,
    matching(r"[A-Za-z0-9_-]+", "only letters A to Z, digits, _ and - may stand in a name"),
]
# A name or a secret that is sent in the header of a request.
Credential = Annotated[str, BeforeValidator(_strip_credential)]
# A secret, or a reference to it: `secret_stores.reading.secret_value` resolves it.
Secret = Annotated[SecretStr, AfterValidator(_check_reference)]
SecretCredential = Annotated[Secret, BeforeValidator(_strip_credential)]
