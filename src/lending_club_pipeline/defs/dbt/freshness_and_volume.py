"""Checks of the ledger that only warn: days without a delivery, and unusual volumes."""

import datetime as dt
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

import dagster as dg

from lending_club_pipeline.config.calendars import missing_days
from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.reconcile.freshness_and_volume import (
    ProcessedFile,
    volume_anomalies,
)

_SHOWN: Final = 5

DAYS: Final = dg.AssetCheckSpec(
    "every_expected_day_has_a_delivery",
    asset="delivery_ledger",
    description=(
        "From the first processed day to the newest, no day of DELIVERY_CALENDAR is missing."
    ),
)
VOLUME: Final = dg.AssetCheckSpec(
    "volume_is_usual",
    asset="delivery_ledger",
    description="Each file has about as many records as in the 30 deliveries before.",
)
FRESHNESS_AND_VOLUME_CHECKS: Final = (DAYS, VOLUME)


def check_freshness_and_volume(
    files: Sequence[ProcessedFile],
    settings: DataPlatformConfig,
    dates: Sequence[dt.date],
    selected: AbstractSet[dg.AssetCheckKey],
) -> Iterator[dg.AssetCheckResult]:
    """Check the deliveries of a run against the calendar and against earlier deliveries.

    Args:
        files: files of all processed deliveries.
        settings: settings with the calendar of expected deliveries.
        dates: business dates of the run.
        selected: checks to run.
    """
    if DAYS.key in selected:
        missing = missing_days(
            {file.as_of_date for file in files},
            settings.deliveries.calendar,
            settings.deliveries.holiday_dates,
        )
        yield _warning(DAYS, "missing_days", [day.isoformat() for day in missing])
    if VOLUME.key in selected:
        unusual = volume_anomalies(files, dates)
        yield _warning(VOLUME, "unusual_files", [str(it) for it in unusual])


def _warning(spec: dg.AssetCheckSpec, name: str, found: Sequence[str]) -> dg.AssetCheckResult:
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    said = f" Found: {'; '.join(found[:_SHOWN])}{more}." if found else ""
    return dg.AssetCheckResult(
        asset_key=spec.asset_key,
        check_name=spec.name,
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{spec.description}{said}",
        metadata={name: dg.MetadataValue.json(list(found))},
    )
