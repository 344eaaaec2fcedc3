"""The result of a preflight check."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class PreflightResult:
    """The result of one check.

    Attributes:
        subject: the checked thing.
        verdict: `ok`, `warning` (a run may still succeed) or `problem` (a run would fail).
        detail: the finding, with a remedy if there is a problem.
    """

    subject: str
    verdict: Verdict
    detail: str
