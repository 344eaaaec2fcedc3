"""Why a class of the public suite fails against the stand-in, where it is known."""

from typing import Final

REASONS: Final[dict[str, str]] = {}
