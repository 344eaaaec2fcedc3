"""Decide what to do with each business date: process it, skip it, refuse it or publish it again.

This is the only place that decides, for example, that a delivery is unchanged (`_left_alone`).

It is pure: no engine, no clock, no disk. Command line, schedule, sensors and runs pass the
deliveries in the inputs (`FoundDelivery`) and the states (`DayState`), and carry out the steps.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from lending_club_pipeline.runs.day_states import DayState, builds_of

WhySkipped = Literal["unchanged", "expired", "missing"]

_DAY: Final = dt.timedelta(days=1)
# Measured with a limit of 2 GiB: deliveries whose text takes a quarter of the engine's memory sort
# and join within it. Deliveries whose text takes nearly all of it do not.
_PARTS_OF_MEMORY: Final = 4


@dataclass(frozen=True)
class FoundDelivery:
    """The delivery of a business date in the inputs.

    Attributes:
        as_of_date: the business date.
        text_bytes: estimated size of its text.
        is_as_landed: its files are those that were landed last.
        refused: why it is refused without being read; empty if it is not.
    """

    as_of_date: dt.date
    text_bytes: int = 0
    is_as_landed: bool = False
    refused: str = ""


@dataclass(frozen=True)
class Policy:
    """Rules by which dates are chosen.

    Attributes:
        transformation: fingerprint of the dbt project as it is now.
        force: process unchanged and expired dates, too.
        lands_expired: process a date whose records were dropped, because somebody names it.
        days_per_run: most dates in one run.
        memory_bytes: memory of the engine that sorts and joins; None if it is not this machine's.
    """

    transformation: str
    force: bool = False
    lands_expired: bool = False
    days_per_run: int = 31
    memory_bytes: int | None = None


@dataclass(frozen=True)
class Process:
    """Land, build and publish neighbouring dates in one run."""

    dates: tuple[dt.date, ...]


@dataclass(frozen=True)
class Publish:
    """Publish a date again: the outputs are not the ones that were published last."""

    as_of_date: dt.date


@dataclass(frozen=True)
class Skip:
    """Do nothing for a date."""

    as_of_date: dt.date
    why: WhySkipped


@dataclass(frozen=True)
class Refuse:
    """Refuse a date without a run."""

    as_of_date: dt.date
    message: str


Step: TypeAlias = Process | Publish | Skip | Refuse


def plan(
    asked: Iterable[dt.date],
    found: Mapping[dt.date, FoundDelivery],
    days: Mapping[dt.date, DayState],
    policy: Policy,
) -> list[Step]:
    """Decide what to do with each requested date.

    Args:
        asked: business dates.
        found: deliveries in the inputs, by date.
        days: states by date.
        policy: the rules.

    Returns:
        The steps: first the skipped or refused dates, then the runs, oldest date first.
        A date whose build killed every process so far comes last, in a run of its own.
    """
    steps: list[Step] = []
    todo: list[dt.date] = []
    apart: list[dt.date] = []
    for date in sorted(set(asked)):
        step = _left_alone(date, found.get(date), days.get(date), policy)
        if step is not None:
            steps.append(step)
        elif date in days and days[date].is_given_up:
            apart.append(date)
        else:
            todo.append(date)
    sizes = {date: found[date].text_bytes for date in todo}
    runs = [*batches(todo, sizes, policy), *([date] for date in apart)]
    return [*steps, *(Process(tuple(part)) for part in runs)]


def plan_publication(
    steps: Sequence[Step], days: Mapping[dt.date, DayState], *, are_published: Callable[[], bool]
) -> list[Step]:
    """Add a publication to a plan that processes nothing, if the outputs are out of date.

    Args:
        steps: the plan.
        days: states by date.
        are_published: whether the outputs are up to date; called only if it matters.
    """
    newest = newest_publishable(days)
    if newest is None or any(isinstance(step, Process) for step in steps) or are_published():
        return [*steps]
    return [*steps, Publish(newest.as_of_date)]


def newest_publishable(days: Mapping[dt.date, DayState]) -> DayState | None:
    """Return the newest date that may be published; None if there is none."""
    publishable = [it for it in days.values() if it.is_built and it.is_closed and not it.is_held]
    return max(publishable, key=lambda it: it.as_of_date, default=None)


def is_published(days: Mapping[dt.date, DayState], *, serves_readers: bool) -> bool:
    """Whether the newest publishable date was published from the current builds, for all readers.

    Args:
        days: states by date.
        serves_readers: whether there is a table for readers beside the files.
    """
    newest, builds = newest_publishable(days), builds_of(days)
    if newest is None:
        return True
    is_served = newest.served_builds == builds or not serves_readers
    return newest.published_builds == builds and is_served


def published_last(days: Mapping[dt.date, DayState]) -> DayState | None:
    """Return the date that was published last; None if there is none."""
    published = [state for state in days.values() if state.published_at is not None]
    return max(published, key=lambda state: str(state.published_at), default=None)


def _left_alone(
    date: dt.date, found: FoundDelivery | None, state: DayState | None, policy: Policy
) -> Step | None:
    """Return the step of a date that needs no run; None if it needs one."""
    if found is None:
        return Skip(date, "missing")
    if found.refused:
        return Refuse(date, found.refused)
    if state is None or policy.force:
        return None
    if state.expired_at is not None:
        return None if policy.lands_expired else Skip(date, "expired")
    if found.is_as_landed and state.is_processed_by(policy.transformation):
        return Skip(date, "unchanged")
    return None


def dates_to_build(
    asked: Iterable[dt.date], days: Mapping[dt.date, DayState], policy: Policy
) -> list[dt.date]:
    """Return the dates that a run builds: requested ones, and those whose build was interrupted.

    Args:
        asked: business dates of the run that are landed.
        days: states by date.
        policy: the rules; with `force` processed dates are built again.
    """
    wanted = {
        date
        for date in asked
        if policy.force or date not in days or not days[date].is_processed_by(policy.transformation)
    }
    return sorted(wanted | interrupted(days))


def interrupted(days: Mapping[dt.date, DayState]) -> set[dt.date]:
    """Return the dates whose build began and never ended: any run completes them.

    A date whose build killed every process so far is left to a run that names it, so that it does
    not stop the other dates.
    """
    return {date for date, state in days.items() if state.is_interrupted and not state.is_given_up}


def batches(
    dates: Sequence[dt.date],
    sizes: Mapping[dt.date, int],
    policy: Policy,
    *,
    may_have_gaps: bool = False,
) -> list[list[dt.date]]:
    """Group dates so that each group fits into the memory of the engine.

    Args:
        dates: dates, oldest first.
        sizes: bytes of each date's text.
        policy: the largest number of days, and the memory.
        may_have_gaps: whether a group may leave out days; the partitions of a run may not.
    """
    most = None if policy.memory_bytes is None else policy.memory_bytes // _PARTS_OF_MEMORY
    groups: list[list[dt.date]] = []
    size = 0
    for date in dates:
        group = groups[-1] if groups else []
        is_next = bool(group) and (may_have_gaps or date - group[-1] == _DAY)
        fits = most is None or size + sizes.get(date, 0) <= most
        if is_next and fits and len(group) < policy.days_per_run:
            group.append(date)
            size += sizes.get(date, 0)
        else:
            groups.append([date])
            size = sizes.get(date, 0)
    return groups


def parts_without(dates: Sequence[dt.date], apart: Collection[dt.date]) -> list[list[dt.date]]:
    """Split the dates of a run into runs of contiguous dates, without the dates that stopped it.

    Args:
        dates: dates, oldest first.
        apart: dates to leave out.
    """
    left = [date for date in dates if date not in apart]
    return batches(left, {}, Policy("", days_per_run=max(len(left), 1)))


def first_of_month(date: dt.date) -> dt.date:
    """Return the first day of a date's month."""
    return date.replace(day=1)


def _next_month(month: dt.date) -> dt.date:
    return first_of_month(month + dt.timedelta(days=31))


def months_due(
    built: Iterable[dt.date], known: Collection[dt.date], closed: Collection[dt.date]
) -> list[dt.date]:
    """Return the months, by their first days, that are over and whose summary may have changed.

    A month is over when a delivery of its last day or of a later one is known. It is due when one
    of its days is built now, or when it was never closed with its last delivery.

    Args:
        built: dates that are built now.
        known: all dates whose ledger closes, those of this build included.
        closed: the last delivery of each month when it was closed.
    """
    if not known:
        return []
    newest = max(known)
    last = {first_of_month(date): date for date in sorted(known)}
    due = {first_of_month(date) for date in built}
    due |= {month for month, date in last.items() if date not in closed}
    return [month for month in sorted(due) if newest >= _next_month(month) - _DAY]


def last_deliveries(months: Iterable[dt.date], dates: Iterable[dt.date]) -> list[dt.date]:
    """Return the last delivery of each month that has one.

    Args:
        months: first days of months.
        dates: dates of deliveries.
    """
    last = {first_of_month(date): date for date in sorted(dates)}
    return [last[month] for month in months if month in last]
