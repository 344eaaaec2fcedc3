"""What is done with which date: a table, without an engine, a clock or Dagster."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import pytest

from lending_club_pipeline.runs.day_states import DayState, builds_of
from lending_club_pipeline.runs.plan import (
    FoundDelivery,
    Policy,
    Process,
    Publish,
    Refuse,
    Skip,
    Step,
    dates_to_build,
    is_published,
    newest_publishable,
    parts_without,
    plan,
    plan_publication,
)

NOW = dt.datetime(2026, 3, 9, 12)  # noqa: DTZ001 - as the table has it
D1, D2, D3, D4 = (dt.date(2026, 3, day) for day in (1, 2, 3, 4))
PROJECT = "of this project"
DONE = {
    "transformation": PROJECT,
    "landed_at": NOW,
    "build_started_at": NOW,
    "build_ended_at": NOW,
    "is_built": True,
    "is_closed": True,
}


def state(date: dt.date = D1, **others: object) -> DayState:
    return DayState(date, **{**DONE, **others})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "known", "policy", "expected"),
    [
        pytest.param({}, None, {}, Skip(D1, "missing"), id="nothing lies there"),
        pytest.param({}, state(), {"force": True}, Skip(D1, "missing"), id="nothing to force"),
        pytest.param({"refused": "why"}, None, {}, Refuse(D1, "why"), id="refused unread"),
        pytest.param({"is_as_landed": False}, None, {}, Process((D1,)), id="new"),
        pytest.param({"is_as_landed": False}, state(), {}, Process((D1,)), id="changed"),
        pytest.param({"is_as_landed": True}, state(), {}, Skip(D1, "unchanged"), id="unchanged"),
        pytest.param({"is_as_landed": True}, state(), {"force": True}, Process((D1,)), id="forced"),
        pytest.param(
            {"is_as_landed": True}, state(), {"transformation": "new"}, Process((D1,)), id="rates"
        ),
        pytest.param(
            {"is_as_landed": True},
            state(build_ended_at=None, is_built=False),
            {},
            Process((D1,)),
            id="interrupted",
        ),
        pytest.param(
            {"is_as_landed": True}, state(is_built=False), {}, Process((D1,)), id="failed"
        ),
        pytest.param({"is_as_landed": True}, state(is_held=True), {}, Process((D1,)), id="held"),
        pytest.param(
            {"is_as_landed": True}, state(is_closed=False), {}, Process((D1,)), id="open ledger"
        ),
        pytest.param(
            {"is_as_landed": False},
            state(expired_at=NOW),
            {},
            Skip(D1, "expired"),
            id="expired, though delivered again",
        ),
        pytest.param(
            {"is_as_landed": True},
            state(expired_at=NOW),
            {"lands_expired": True},
            Process((D1,)),
            id="expired, but named",
        ),
    ],
)
def test_what_becomes_of_a_date(
    found: dict[str, object], known: DayState | None, policy: dict[str, object], expected: Step
) -> None:
    delivered = {D1: FoundDelivery(D1, **found)} if found else {}  # type: ignore[arg-type]
    days = {} if known is None else {D1: known}
    rules = Policy(**{"transformation": PROJECT, **policy})  # type: ignore[arg-type]

    assert plan([D1], delivered, days, rules) == [expected]


@pytest.mark.parametrize(
    ("dates", "sizes", "policy", "groups"),
    [
        ([D1, D2, D3], 1, Policy(PROJECT), [(D1, D2, D3)]),
        ([D1, D2, D3], 1, Policy(PROJECT, days_per_run=2), [(D1, D2), (D3,)]),
        ([D1, D3, D4], 1, Policy(PROJECT), [(D1,), (D3, D4)]),
        ([D1, D2, D3], 3, Policy(PROJECT, memory_bytes=24), [(D1, D2), (D3,)]),
        ([D1, D2], 100, Policy(PROJECT, memory_bytes=24), [(D1,), (D2,)]),
    ],
)
def test_days_share_a_run_with_neighbours_as_far_as_memory_goes(
    dates: Sequence[dt.date], sizes: int, policy: Policy, groups: list[tuple[dt.date, ...]]
) -> None:
    found = {date: FoundDelivery(date, sizes) for date in dates}

    assert plan(dates, found, {}, policy) == [Process(group) for group in groups]


def test_what_is_left_alone_comes_first_and_holds_up_nothing() -> None:
    found = {D1: FoundDelivery(D1), D3: FoundDelivery(D3, refused="broken"), D4: FoundDelivery(D4)}

    steps = plan([D1, D2, D3, D4], found, {}, Policy(PROJECT))

    assert steps == [Skip(D2, "missing"), Refuse(D3, "broken"), Process((D1,)), Process((D4,))]


def test_a_date_that_ended_every_process_that_tried_comes_last_and_alone() -> None:
    days = {D2: state(D2, build_ended_at=None, is_built=False, build_attempts=3)}
    found = {date: FoundDelivery(date) for date in (D1, D2, D3)}

    steps = plan([D1, D2, D3], found, days, Policy(PROJECT))

    assert steps == [Process((D1,)), Process((D3,)), Process((D2,))]


@pytest.mark.parametrize(
    ("force", "days", "expected"),
    [
        (False, {}, [D2]),
        (False, {D2: state(D2)}, []),
        (True, {D2: state(D2)}, [D2]),
        (False, {D1: state(build_ended_at=None)}, [D1, D2]),
        (True, {D1: state(is_built=False)}, [D2]),
        (False, {D1: state(build_ended_at=None, build_attempts=2)}, [D1, D2]),
        (False, {D1: state(build_ended_at=None, build_attempts=3)}, [D2]),
        (False, {D2: state(D2, build_ended_at=None, build_attempts=3)}, [D2]),
    ],
    ids=[
        *("new", "unchanged", "forced", "another was interrupted", "another failed"),
        *("another was interrupted twice", "another is given up", "it was given up itself"),
    ],
)
def test_a_run_builds_what_is_asked_for_and_what_was_interrupted(
    force: bool,
    days: dict[dt.date, DayState],
    expected: list[dt.date],
) -> None:
    assert dates_to_build([D2], days, Policy(PROJECT, force=force)) == expected


def published(days: dict[dt.date, DayState]) -> dict[dt.date, DayState]:
    """The same days, the newest of which was published with all of these builds."""
    newest = newest_publishable(days)
    assert newest is not None
    done = replace(newest, published_builds=builds_of(days), served_builds=builds_of(days))
    return days | {newest.as_of_date: done}


def test_outputs_that_are_not_what_was_published_are_published_again_if_nothing_else_is() -> None:
    days = {D1: state(), D2: state(D2)}
    idle: list[Step] = [Skip(D1, "unchanged")]

    assert plan_publication(idle, days, are_published=lambda: True) == idle
    assert plan_publication(idle, days, are_published=lambda: False) == [*idle, Publish(D2)]
    assert plan_publication(idle, {}, are_published=lambda: False) == idle
    busy: list[Step] = [Process((D2,))]
    assert plan_publication(busy, days, are_published=lambda: False) == busy


@pytest.mark.parametrize("serves_readers", [False, True])
def test_what_was_built_and_never_published_is_still_to_be_published(serves_readers: bool) -> None:
    built = {D1: state()}
    assert not is_published(built, serves_readers=serves_readers)
    assert is_published(published(built), serves_readers=serves_readers)
    assert is_published({}, serves_readers=serves_readers)

    # The clock of the machine that builds next may be set back.
    earlier = state(build_ended_at=NOW.replace(hour=1))
    assert not is_published(published(built) | {D2: state(D2)}, serves_readers=serves_readers)
    late = published({D1: state(), D2: state(D2)}) | {D1: earlier}
    assert not is_published(late, serves_readers=serves_readers)
    held = published(built) | {D2: state(D2, is_built=False, is_held=True)}
    assert is_published(held, serves_readers=serves_readers)


def test_a_table_for_readers_that_was_not_reached_is_still_to_be_published() -> None:
    days = published({D1: state()})
    killed = {D1: replace(days[D1], served_builds="")}

    assert is_published(killed, serves_readers=False)
    assert not is_published(killed, serves_readers=True)


def test_a_run_that_was_stopped_goes_on_without_the_dates_that_stopped_it() -> None:
    assert parts_without([D1, D2, D3, D4], {D2}) == [[D1], [D3, D4]]
    assert parts_without([D1, D2], {D1, D2}) == []
