"""Settings of deliveries, business dates and outputs."""

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from lending_club_pipeline.config import clock
from lending_club_pipeline.config.calendars import Calendar, parse_deadline, parse_holidays
from lending_club_pipeline.config.concern import Concern, prefixed
from lending_club_pipeline.config.paths import AnyLocation, parse_mode
from lending_club_pipeline.config.values import matching, read_by
from lending_club_pipeline.contract.locations import ObjectUrl

_OWNER_ONLY: Final = 0o600
_MEASURES: Final = ("balance", "interest", "accounts", "quarantined")
_PERCENT: Final = re.compile(r"\d{1,6}(\.\d{1,2})?", re.ASCII)
_FORM: Final = f"write percents such as balance=10,accounts=2.5, for any of {', '.join(_MEASURES)}"


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
        if measure not in _MEASURES or measure in limits or not _PERCENT.fullmatch(percent):
            raise ValueError(f"{part}: {_FORM}, each once, with at most two decimals")
        limits[measure] = Decimal(percent)
    return {measure: limits[measure] for measure in _MEASURES if measure in limits}


class DeliverySettings(Concern):
    """Where deliveries come from, when they are expected, and how far they may move."""

    model_config = SettingsConfigDict(alias_generator=prefixed("DELIVERY_"))

    input_path: AnyLocation = Field(default=Path("data/inputs"), validation_alias="INPUT_PATH")
    """Folder in which deliveries arrive, or a prefix of an object store."""
    source: str = ""
    """Name of the sender; a database holds the deliveries of one sender only."""
    calendar: Calendar = "every_day"
    """On which days a delivery is expected: `every_day` or `weekdays`."""
    holidays: Annotated[str, read_by(parse_holidays)] = ""
    """Days without an expected delivery, as YYYY-MM-DD, separated by commas."""
    deadline: Annotated[str, read_by(parse_deadline)] = ""
    """Deadline for processing the delivery of a day, such as `08:00`, or `08:00+1` for the next
    day; nothing is late if it is not set."""
    sensor: Literal["stopped", "running"] = "stopped"
    """Initial status of the sensor for new deliveries: `running` or `stopped`."""
    settle_seconds: float = Field(
        default=30.0, ge=0, allow_inf_nan=False, validation_alias="SENSOR_SETTLE_SECONDS"
    )
    """Age that a file must have before the sensor takes it."""
    movement_limits: Annotated[str, read_by(parse_movement_limits)] = Field(
        default="", validation_alias="MOVEMENT_LIMITS"
    )
    """Largest change from the previous delivery in percent, such as `balance=10,accounts=5`; no
    limit if it is not set."""

    @property
    def holiday_dates(self) -> frozenset[dt.date]:
        """Days on which no delivery is expected, on any day of the week."""
        return parse_holidays(self.holidays)

    @property
    def movement_percents(self) -> dict[str, Decimal]:
        """Largest change of each measure in percent; measures that are not named have no limit."""
        return parse_movement_limits(self.movement_limits)


class DaySettings(Concern):
    """Business dates, and how long their records are kept."""

    business_timezone: Annotated[str, read_by(clock.parse_timezone)] = clock.UTC_NAME
    """IANA name of the time zone that decides which date is today."""
    first_as_of_date: dt.date = dt.date(2020, 1, 1)
    """First business date that has a partition; earlier ones are refused."""
    backfill_days_per_run: int = Field(default=31, ge=1, le=3650)
    """Most deliveries that a backfill processes in one run."""
    retention_days: int | None = Field(default=None, ge=1, le=36500)
    """Days before the newest processed one whose records are kept; all are kept if it is not set.
    """


class OutputSettings(Concern):
    """Where outputs are published, for whom, and in which currency."""

    model_config = SettingsConfigDict(alias_generator=prefixed("OUTPUT_"))

    path: AnyLocation = Path("data/outputs")
    """Folder in which outputs are published, or a prefix of an object store."""
    mode: Annotated[str, read_by(parse_mode)] = "0600"
    """Permission bits of the published files, in octal digits."""
    group: str | None = None
    """Group of the published files, by name or number."""
    currency: Annotated[
        str,
        matching("[A-Z]{3}", "write the three capital letters of its ISO 4217 code, such as USD"),
    ] = Field(default="USD", validation_alias="CURRENCY")
    """Currency of all amounts, as ISO 4217 code; amounts are never converted."""

    def check_rights(self) -> None:
        """Check that permissions of files are not set for an object store.

        Raises:
            ValueError: they are.
        """
        if isinstance(self.path, ObjectUrl) and (self.group or self.mode_bits != _OWNER_ONLY):
            raise ValueError(
                "OUTPUT_MODE and OUTPUT_GROUP are rights of files, but OUTPUT_PATH="
                f"{self.path} is in an object store: leave them out, and give the rights there"
            )

    @property
    def mode_bits(self) -> int:
        """Permission bits of the published files."""
        return parse_mode(self.mode)
