"""What a check found, for people."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        subject: what was checked.
        verdict: `ok`, `warning` (a run may still do) or `problem` (a run would fail).
        detail: what was found and, if it is not well, what to do.
    """

    subject: str
    verdict: Verdict
    detail: str
