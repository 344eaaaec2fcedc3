"""Check results of each delivery, in the table `delivery_checks` of the warehouse.

The report shows them, and publication requires them: a check that did not run did not pass.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from lending_club_pipeline.warehouse.day_tables import KEY, DayTable
from lending_club_pipeline.warehouse.protocol import Warehouse

TABLE: Final = DayTable(
    "delivery_checks",
    {
        "asset": "string",
        "name": "string",
        "passed": "boolean",
        "severity": "string",
        "description": "string",
        "found": "bigint",
    },
    "What each check found when a delivery was processed last.",
)
BLOCKING: Final = "error"


@dataclass(frozen=True)
class CheckResult:
    """Result of a check when a delivery was last processed.

    Attributes:
        name: its name.
        asset: the table or file that it checks.
        passed: whether it found nothing.
        severity: `error` stops publication, `warn` does not.
        description: what it proves, in words; may be empty.
        found: how many rows it found; None if that is not counted.
    """

    name: str
    asset: str
    passed: bool
    severity: str
    description: str
    found: int | None = None


def read_checks(warehouse: Warehouse, as_of_date: dt.date) -> list[CheckResult]:
    """Read the check results of a delivery, by asset and name; empty if no check ever ran."""
    rows = warehouse.read_days(TABLE, [as_of_date])
    found = (
        CheckResult(**{name: value for name, value in row.items() if name != KEY}) for row in rows
    )
    return sorted(found, key=lambda result: (result.asset, result.name))


def record_checks(
    warehouse: Warehouse,
    dates: Sequence[dt.date],
    results: Iterable[CheckResult],
    *,
    keeps_others: bool,
) -> int:
    """Record the check results of deliveries that were processed together.

    Args:
        warehouse: an open warehouse, with the right to write.
        dates: business dates of the deliveries.
        results: results of the checks.
        keeps_others: earlier results of other checks remain valid.

    Returns:
        Number of blocking checks that each of the deliveries has passed.
    """
    if not dates:
        return 0
    found = {(it.asset, it.name): it for it in results}
    known = warehouse.read_days(TABLE, dates) if keeps_others else []
    rows = [row for row in known if (row["asset"], row["name"]) not in found]
    rows += [{KEY: date, **asdict(it)} for date in dates for it in found.values()]
    warehouse.replace_days(TABLE, dates, rows)
    passed = [row[KEY] for row in rows if row["passed"] and row["severity"] == BLOCKING]
    return min(passed.count(date) for date in dates)
