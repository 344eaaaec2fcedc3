"""Business dates as Dagster's partitions: one a day, and one a month."""

import datetime as dt
from dataclasses import dataclass

import dagster as dg


@dataclass(frozen=True)
class BusinessDates:
    """The business dates, and how many of them Dagster's backfills put into one run.

    Attributes:
        partitions: a partition for each date.
        backfill_policy: the same for all assets: only then do they share a run.
    """

    partitions: dg.PartitionsDefinition
    backfill_policy: dg.BackfillPolicy


def business_dates(first: dt.date, days_per_run: int, timezone: str) -> BusinessDates:
    """Return the business dates from `first` through today.

    Args:
        first: the first date that has a partition.
        days_per_run: most dates in one run of a backfill.
        timezone: IANA name of the business time zone.
    """
    return BusinessDates(
        daily_partitions(first, timezone),
        dg.BackfillPolicy.multi_run(max_partitions_per_run=days_per_run),
    )


def daily_partitions(first: dt.date, timezone: str) -> dg.DailyPartitionsDefinition:
    """Return a partition for each business date from `first` through today.

    Dagster closes a day's partition when the day is over; a delivery arrives on its own day.
    """
    return dg.DailyPartitionsDefinition(
        start_date=first.isoformat(), timezone=timezone, end_offset=1
    )


def monthly_partitions(first: dt.date, timezone: str) -> dg.MonthlyPartitionsDefinition:
    """Return a partition for each month from that of `first` through the current one."""
    start = first.replace(day=1).isoformat()
    return dg.MonthlyPartitionsDefinition(start_date=start, timezone=timezone, end_offset=1)


def dates_of(context: dg.AssetExecutionContext) -> list[dt.date]:
    """Return the business dates of a run, oldest first; none if it has no partition.

    Dagster runs checks that are requested alone without a partition.
    """
    if not context.has_partition_key and not context.has_partition_key_range:
        return []
    return sorted(dt.date.fromisoformat(key) for key in context.partition_keys)
