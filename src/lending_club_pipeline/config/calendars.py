"""On which business dates a delivery is expected."""

import datetime as dt
from collections.abc import Collection
from typing import Final, Literal

Calendar = Literal["every_day", "weekdays"]

_SATURDAY: Final = 5
_DAY: Final = dt.timedelta(days=1)


def parse_holidays(text: str) -> frozenset[dt.date]:
    """Read dates such as `2026-12-25,2027-01-01`; none if the text is empty.

    Raises:
        ValueError: one of them is no date.
    """
    days = filter(None, map(str.strip, text.split(",")))
    try:
        return frozenset(
            dt.datetime.strptime(day, "%Y-%m-%d").date()  # noqa: DTZ007 - a date has no zone
            for day in days
        )
    except ValueError:
        raise ValueError("write dates as YYYY-MM-DD, separated by commas") from None


def missing_days(
    delivered: Collection[dt.date], calendar: Calendar, holidays: Collection[dt.date]
) -> list[dt.date]:
    """Return the expected days without a delivery, from the first delivered day to the newest.

    Args:
        delivered: days of which there is a delivery.
        calendar: on which days of the week one is expected.
        holidays: days on which none is.
    """
    if not delivered:
        return []
    first, last = min(delivered), max(delivered)
    days = (first + at * _DAY for at in range((last - first).days))
    return [
        day
        for day in days
        if day not in delivered
        and day not in holidays
        and (calendar == "every_day" or day.weekday() < _SATURDAY)
    ]
