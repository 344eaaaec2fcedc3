"""Movement limits: the largest changes from the previous delivery, as a person writes them."""

import re
from decimal import Decimal
from typing import Final

MEASURES: Final = ("balance", "interest", "accounts", "quarantined")
_PERCENT: Final = re.compile(r"\d{1,6}(\.\d{1,2})?", re.ASCII)
_FORM: Final = f"write percents such as balance=10,accounts=2.5, for any of {', '.join(MEASURES)}"


def parse_movement_limits(text: str) -> dict[str, Decimal]:
    """Read limits such as `balance=10,accounts=5`; none if the text is empty.

    Returns:
        Percents by measure, in the order in which measures are shown.

    Raises:
        ValueError: a measure is unknown or appears twice, or a percent is not a number.
    """
    limits: dict[str, Decimal] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        measure, _, percent = (it.strip() for it in part.partition("="))
        if measure not in MEASURES or measure in limits or not _PERCENT.fullmatch(percent):
            raise ValueError(f"{part}: {_FORM}, each once, with at most two decimals")
        limits[measure] = Decimal(percent)
    return {measure: limits[measure] for measure in MEASURES if measure in limits}
