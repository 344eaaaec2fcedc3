"""The clock and the business date; no other module reads the clock."""

import datetime as dt
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

UTC_NAME: Final = "UTC"
# Files among the time zones of some machines; their content depends on the machine.
_NO_PLACES: Final = {"localtime", "Factory"}


@dataclass(frozen=True)
class Today:
    """The current business date.

    Attributes:
        date: the date.
        timezone: IANA name of its time zone.
    """

    date: dt.date
    timezone: str = UTC_NAME

    def __str__(self) -> str:
        return f"{self.date} in {self.timezone}"


def now() -> dt.datetime:
    """Return the current time, in UTC."""
    return dt.datetime.now(dt.UTC)


def day_of(moment: dt.datetime, timezone: str) -> Today:
    """Return the business date at a moment.

    Args:
        moment: a time with its zone.
        timezone: IANA name of the business time zone.
    """
    return Today(moment.astimezone(ZoneInfo(timezone)).date(), timezone)


def parse_timezone(text: str) -> str:
    """Check the name of a time zone, and return it.

    Raises:
        ValueError: there is no time zone of this name.
    """
    if text == UTC_NAME:
        return text
    known = sorted(available_timezones() - _NO_PLACES)
    if text in known:
        return text
    by_city = {name.rpartition("/")[2].lower(): name for name in known}
    by_name = {name.lower(): name for name in known}
    wanted = text.strip().lower().replace(" ", "_")
    near = get_close_matches(wanted.rpartition("/")[2], by_city, n=1, cutoff=0.8)
    meant = by_name.get(wanted) or (by_city[near[0]] if near else "")
    hint = f" (did you mean {meant}?)" if meant else ""
    raise ValueError(f"write the IANA name of a time zone, such as Pacific/Auckland{hint}")
