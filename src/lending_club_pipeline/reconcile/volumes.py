"""The usual number of records of a delivery, from earlier deliveries."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median
from typing import Final

MOST_DELIVERIES: Final = 30
FEWEST_DELIVERIES: Final = 5
# Factor that makes a median of distances comparable to a standard deviation.
_MAD_TO_DEVIATION: Final = Fraction("1.4826")
_DEVIATIONS: Final = 5
_LEAST_SHARE: Final = Fraction(1, 10)


@dataclass(frozen=True)
class ExpectedVolume:
    """How many records are usual, ends included."""

    least: Fraction
    most: Fraction

    def has(self, records: int) -> bool:
        """Whether a number of records is usual."""
        return self.least <= records <= self.most


def expected_volume(before: Sequence[int]) -> ExpectedVolume | None:
    """Return the usual range of records, from earlier deliveries; None if there are too few.

    The range is their median plus or minus the larger of a tenth of it and five times 1.4826 times
    the median distance from it. So a few unusual deliveries do not matter.

    Args:
        before: records of the earlier deliveries, the newest last; only the last 30 count.
    """
    known = [Fraction(records) for records in before[-MOST_DELIVERIES:]]
    if len(known) < FEWEST_DELIVERIES:
        return None
    middle = median(known)
    distance = median(abs(records - middle) for records in known)
    width = max(_DEVIATIONS * _MAD_TO_DEVIATION * distance, _LEAST_SHARE * middle)
    return ExpectedVolume(middle - width, middle + width)
