"""The result of a preflight check."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class PreflightResult:
    """The result of one check.

    Attributes:
        subject: what was checked.
        verdict: `ok`, `warning` (a run may still do) or `problem` (a run would fail).
        detail: what was found and, if it is not well, what to do.
    """

    subject: str
    verdict: Verdict
    detail: str
