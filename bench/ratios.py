"""Ratios: what was measured against what, the bar, and whether it is worse than it was."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bench.measuring import Cost

# Two measurements of the same thing differ by as much on a machine that does nothing else.
LEAST_NOISE: Final = 0.05


@dataclass(frozen=True)
class Ratio:
    """One line of the result: what was compared, the bar, and how it came out.

    Attributes:
        work: what was compared.
        measured: how it came out.
        bar: what it should not exceed.
        unit: of both.
        noise: by which share of itself it may differ from another measurement.
    """

    work: str
    measured: float
    bar: float
    unit: str = "x"
    noise: float = LEAST_NOISE

    @property
    def verdict(self) -> str:
        """Whether the bar is met."""
        return "met" if self.measured <= self.bar else "MISSED"

    def __str__(self) -> str:
        return (
            f"{self.work:62} {self.measured:6.2f} {self.unit:3} bar {self.bar:.2f}  {self.verdict}"
        )


def noise_of(*contenders: Iterable[Cost]) -> float:
    """Return by which share a ratio of contenders may differ: their own spreads, added up."""
    total = 0.0
    for costs in contenders:
        seconds = [cost.cpu for cost in costs]
        total += (max(seconds) - min(seconds)) / max(seconds)
    return max(total, LEAST_NOISE)


def worse_than(recorded: Mapping[str, Any], ratios: Iterable[Ratio]) -> list[str]:
    """Return what is worse than in the last recorded result by more than the noise of both.

    Args:
        recorded: the content of the file of results; empty where there is none.
        ratios: what was measured now.

    Returns:
        A sentence for each, with both numbers.
    """
    before = {it["work"]: it for it in recorded.get("ratios", [])}
    worse = []
    for ratio in ratios:
        known = before.get(ratio.work)
        if known is None:
            continue
        noise = max(ratio.noise, known.get("noise", LEAST_NOISE))
        if ratio.measured > known["measured"] * (1 + noise):
            worse.append(
                f"{ratio.work}: {ratio.measured:.2f} {ratio.unit}, was {known['measured']:.2f}; "
                f"the noise is {noise:.0%}"
            )
    return worse
