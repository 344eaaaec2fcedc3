"""Settings of deliveries, of the business dates that they are of, and of what is published."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from lending_club_pipeline.config import clock
from lending_club_pipeline.config.calendars import Calendar, parse_deadline, parse_holidays
from lending_club_pipeline.config.concern import Concern, prefixed
from lending_club_pipeline.config.movement_limits import parse_movement_limits
from lending_club_pipeline.config.paths import AnyLocation, parse_mode
from lending_club_pipeline.config.values import matching, read_by
from lending_club_pipeline.contract.locations import ObjectUrl

_OWNER_ONLY: Final = 0o600


class DeliverySettings(Concern):
    """Where deliveries come from, when they are expected, and how far they may move."""

    model_config = SettingsConfigDict(alias_generator=prefixed("DELIVERY_"))

    input_path: AnyLocation = Field(default=Path("data/inputs"), validation_alias="INPUT_PATH")
    """Folder in which deliveries arrive, or a prefix of an object store."""
    source: str = ""
    """Name of the sender; a database holds the deliveries of one sender alone."""
    calendar: Calendar = "every_day"
    """On which days a delivery is expected: `every_day` or `weekdays`."""
    holidays: Annotated[str, read_by(parse_holidays)] = ""
    """Days on which none is, as YYYY-MM-DD, separated by commas."""
    deadline: Annotated[str, read_by(parse_deadline)] = ""
    """By when the delivery of a day has to be processed, such as `08:00`, or `08:00+1` on the day
    after; nothing is late when it is not set."""
    sensor: Literal["stopped", "running"] = "stopped"
    """Whether the sensor for new deliveries begins `running` or `stopped`, until somebody switches
    it in Dagster."""
    settle_seconds: float = Field(
        default=30.0, ge=0, allow_inf_nan=False, validation_alias="SENSOR_SETTLE_SECONDS"
    )
    """Age that a file must have before the sensor takes it."""
    movement_limits: Annotated[str, read_by(parse_movement_limits)] = Field(
        default="", validation_alias="MOVEMENT_LIMITS"
    )
    """By how many percent a delivery may move against the one before it, such as
    `balance=10,accounts=5`; nothing is limited when it is not set."""

    @property
    def holiday_dates(self) -> frozenset[dt.date]:
        """Days on which no delivery is expected, whatever day of the week they are."""
        return parse_holidays(self.holidays)

    @property
    def movement_percents(self) -> dict[str, Decimal]:
        """By how many percent each measure may move; one that is not named may as it likes."""
        return parse_movement_limits(self.movement_limits)


class DaySettings(Concern):
    """Which business dates there are, and for how long their records are kept."""

    business_timezone: Annotated[str, read_by(clock.parse_timezone)] = clock.UTC_NAME
    """IANA name of the time zone in which it is decided what today is."""
    first_as_of_date: dt.date = dt.date(2020, 1, 1)
    """First business date that has a partition; earlier ones are refused."""
    backfill_days_per_run: int = Field(default=31, ge=1, le=3650)
    """Most deliveries that a backfill processes in one run."""
    retention_days: int | None = Field(default=None, ge=1, le=36500)
    """Days before the newest processed one of which records are kept; all are when it is not set.
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
    """Of all balances and interest, as its ISO 4217 code; it is shown, never converted."""

    def check_rights(self) -> None:
        """Check that rights of files are not set where there are no files.

        Raises:
            ValueError: they are, for objects.
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
