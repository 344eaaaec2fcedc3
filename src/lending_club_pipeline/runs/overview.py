"""The status of each business date, from its state and the inputs: one line a date."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from zoneinfo import ZoneInfo

from lending_club_pipeline.config import clock
from lending_club_pipeline.config.calendars import expected_days, parse_deadline
from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.ingest.deliveries.delivered_files import looks_like
from lending_club_pipeline.ingest.deliveries.delivery_folders import Delivery
from lending_club_pipeline.ingest.deliveries.watch import Watch, look
from lending_club_pipeline.reconcile.checks import CheckResult, read_checks
from lending_club_pipeline.runs.day_states import DayState, read_days
from lending_club_pipeline.runs.plan import published_last
from lending_club_pipeline.storage.inputs import inputs_of
from lending_club_pipeline.warehouse import choose_warehouse

Standing = Literal[
    "published",
    "processed",
    "held",
    "refused",
    "failed",
    "interrupted",
    "new",
    "missing",
    "expired",
]
InputStatus = Literal["unchanged", "changed", "refused", "pending", "absent", "unknown"]
# States that need no action.
SETTLED: Final[frozenset[Standing]] = frozenset({"published", "processed", "expired"})


@dataclass(frozen=True)
class DayOverview:
    """Status of a business date.

    Attributes:
        as_of_date: the business date.
        standing: `published` (the outputs hold it), `processed`, `held`, `refused`, `failed`,
            `interrupted`, `new` (delivered, not processed yet), `missing` or `expired`.
        delivery: its files in the inputs. They are those that were processed (`unchanged`), others
            (`changed`), refused (`refused`), incomplete or still changing (`pending`), or missing
            (`absent`). Without a folder of deliveries it is `unknown`.
        message: why it is refused; empty otherwise.
        run_id: Dagster's id of the last run of this date.
        built_at: when its newest build ended, in UTC.
        published_at: when it was published last, in UTC.
    """

    as_of_date: dt.date
    standing: Standing
    delivery: InputStatus
    message: str = ""
    run_id: str = ""
    built_at: dt.datetime | None = None
    published_at: dt.datetime | None = None


@dataclass(frozen=True)
class Overview:
    """Status of all business dates.

    Attributes:
        days: every date that is known, delivered or due, oldest first.
        due: dates whose delivery should have been processed by now.
        waiting: deliveries in the inputs that wait, with the reason.
        checks: check results of the newest processed date.
    """

    days: Sequence[DayOverview]
    due: Sequence[dt.date] = ()
    waiting: Sequence[str] = ()
    checks: Sequence[CheckResult] = ()

    @property
    def late(self) -> list[dt.date]:
        """Dates that are due and neither processed nor held."""
        done = {it.as_of_date for it in self.days if it.standing in {*SETTLED, "held"}}
        return [date for date in self.due if date not in done]


def business_now(settings: DataPlatformConfig) -> dt.datetime:
    """Return the current time in the time zone of the business."""
    return clock.now().astimezone(ZoneInfo(settings.days.business_timezone))


def look_at_days(settings: DataPlatformConfig, now: dt.datetime) -> Overview:
    """Read the states and list the inputs, without reading a delivery.

    Args:
        settings: the project's settings.
        now: the current time, in the time zone of the business.

    Raises:
        WarehouseLockedError: a run has the database.
        WarehouseError: it cannot be opened, or there is none yet.
    """
    warehouse = choose_warehouse(settings)
    with warehouse.session(read_only=True):
        days = read_days(warehouse)
        built = [date for date, state in days.items() if state.is_built]
        checks = read_checks(warehouse, max(built)) if built else []
    return _overview(settings, days, checks, now)


def look_without_warehouse(settings: DataPlatformConfig, now: dt.datetime) -> Overview:
    """List the inputs if there is no warehouse yet.

    Args:
        settings: the project's settings.
        now: the current time, in the time zone of the business.
    """
    return _overview(settings, {}, [], now)


def _overview(
    settings: DataPlatformConfig,
    days: Mapping[dt.date, DayState],
    checks: Sequence[CheckResult],
    now: dt.datetime,
) -> Overview:
    inputs, first = inputs_of(settings), settings.days.first_as_of_date
    today = clock.day_of(now, settings.days.business_timezone)
    watch = look(inputs, first, today, now, settings.deliveries.settle_seconds)
    due = days_due(settings, {*days, *_delivered(days, watch)}, now)
    return Overview(overview(days, watch, due), due, watch.waiting, checks)


def overview(
    days: Mapping[dt.date, DayState], watch: Watch, due: Collection[dt.date]
) -> list[DayOverview]:
    """Describe every date that is known, delivered or due, oldest first.

    Args:
        days: states by date.
        watch: the deliveries in the inputs.
        due: dates whose delivery should have been processed by now.
    """
    last = published_last(days)
    dates = sorted({*days, *_delivered(days, watch), *due})
    return [
        _of(date, days.get(date), watch, is_published=last is not None and last.as_of_date == date)
        for date in dates
    ]


def _delivered(days: Mapping[dt.date, DayState], watch: Watch) -> set[dt.date]:
    """Return the delivered dates; undated files of an earlier day may still be there."""
    newest = max(watch.deliveries, default=None)
    found = set(watch.deliveries)
    if newest is not None and newest not in days:
        delivery = watch.deliveries[newest]
        is_undated = delivery.folder.name != newest.isoformat()
        if is_undated and any(_is_known(delivery, state) for state in days.values()):
            found.discard(newest)
    return found


def _of(date: dt.date, state: DayState | None, watch: Watch, *, is_published: bool) -> DayOverview:
    files = _input_status(date, state, watch)
    if state is None:
        return DayOverview(date, "new" if files == "changed" else "missing", files)
    standing = _standing(state, files)
    if standing == "processed" and is_published:
        standing = "published"
    return DayOverview(
        date,
        standing,
        files,
        state.refused if standing == "refused" else "",
        state.run_id,
        state.build_ended_at,
        state.published_at,
    )


def _input_status(date: dt.date, state: DayState | None, watch: Watch) -> InputStatus:
    delivery = watch.deliveries.get(date)
    if delivery is None:
        if not watch.is_there:
            return "unknown"
        return "pending" if date in watch.pending else "absent"
    if state is None:
        return "changed"
    if state.refused and state.refused_files == watch.identities[date]:
        return "refused"
    return "unchanged" if _is_known(delivery, state) else "changed"


def _is_known(delivery: Delivery, state: DayState) -> bool:
    try:
        return looks_like(delivery, state.files)
    except OSError:
        # The file is gone or unreadable: the next run reports it.
        return False


def _standing(state: DayState, files: InputStatus) -> Standing:
    if state.expired_at is not None:
        return "expired"
    # Pending files may be the refused ones, or a part of their replacement.
    if files == "refused" or (files in ("pending", "unknown") and state.refused):
        return "refused"
    if files == "changed":
        return "new"
    if files in ("absent", "pending", "unknown") and state.landed_at is None:
        # The delivery was refused, then removed.
        return "missing"
    return _standing_of_build(state)


def _standing_of_build(state: DayState) -> Standing:
    if state.is_interrupted:
        return "interrupted"
    if state.is_built and state.is_closed:
        return "held" if state.is_held else "processed"
    return "failed"


def days_due(
    settings: DataPlatformConfig, known: Collection[dt.date], now: dt.datetime
) -> list[dt.date]:
    """Return the dates whose delivery should have been processed by now.

    The calendar holds the expected days; it counts from the first known day.

    Args:
        settings: the project's settings.
        known: dates that are known or delivered.
        now: the current time, in the time zone of the business.
    """
    deadline = parse_deadline(settings.deliveries.deadline)
    if not known or deadline is None:
        return []
    midnight = (now - deadline).date()
    return expected_days(
        min(known), midnight, settings.deliveries.calendar, settings.deliveries.holiday_dates
    )
