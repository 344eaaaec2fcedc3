"""The calendar of expected deliveries."""

import datetime as dt
import re
from collections.abc import Collection
from typing import Final, Literal

Calendar = Literal["every_day", "weekdays"]

_SATURDAY: Final = 5
_DAY: Final = dt.timedelta(days=1)
_DEADLINE: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?:\+(\d))?")


def parse_holidays(text: str) -> frozenset[dt.date]:
    """Read dates such as `2026-12-25,2027-01-01`; none if the text is empty.

    Raises:
        ValueError: one of them is not a date.
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
        delivered: days with a delivery.
        calendar: on which days of the week a delivery is expected.
        holidays: days on which no delivery is expected.
    """
    if not delivered:
        return []
    expected = expected_days(min(delivered), max(delivered), calendar, holidays)
    return [day for day in expected if day not in delivered]


def days_between(first: dt.date, last: dt.date) -> list[dt.date]:
    """Return all days from the first through the last."""
    return [first + at * _DAY for at in range((last - first).days + 1)]


def expected_days(
    first: dt.date, last: dt.date, calendar: Calendar, holidays: Collection[dt.date]
) -> list[dt.date]:
    """Return the days on which a delivery is expected.

    Args:
        first: first day that counts.
        last: last day that counts.
        calendar: on which days of the week a delivery is expected.
        holidays: days on which no delivery is expected.
    """
    return [
        day
        for day in days_between(first, last)
        if day not in holidays and (calendar == "every_day" or day.weekday() < _SATURDAY)
    ]


def parse_deadline(text: str) -> dt.timedelta | None:
    """Parse the deadline of a delivery, counted from midnight of its business date.

    Args:
        text: a time of the day, such as `08:00`, with `+1` at its end for the next day; empty
            for no deadline.

    Raises:
        ValueError: the text is not such a time.
    """
    if not text:
        return None
    match = _DEADLINE.fullmatch(text.strip())
    if match is None:
        raise ValueError("write a time as HH:MM, with +1 behind it for the day after: 08:00+1")
    hours, minutes, days = int(match[1]), int(match[2]), int(match[3] or 0)
    return dt.timedelta(days=days, hours=hours, minutes=minutes)
