"""What the sensor for new deliveries starts, when it tries again, and what it says."""

import datetime as dt
import os
import shutil
from collections.abc import Callable, Iterator

import dagster as dg
import pytest

from lending_club_pipeline.config import clock
from lending_club_pipeline.defs.sensors import DELIVERY_TAG
from lending_club_pipeline.runs import plan
from tests.faults.processes import another_process
from tests.pipeline.doors import Doors, journal_of, open_doors, record, states
from tests.workspaces import CUSTOMER_HEADER, Workspace

CUSTOMERS = "1,Ada,Yes\n"
A, B = "A,1,100,Savings\n", "A,1,250,Savings\n"
DAYS = [dt.date(2026, 3, 10) + dt.timedelta(days=n) for n in range(4)]
TODAY = clock.day_of(clock.now(), "UTC").date
IDLE = "No delivery is new or changed."


@pytest.fixture
def doors(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Doors]:
    for name, value in workspace.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SENSOR_SETTLE_SECONDS", "0")
    workspace.inputs.mkdir()
    with open_doors(workspace) as opened:
        yield opened


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let the sensor live some seconds later."""

    def go(seconds: float) -> None:
        then = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
        monkeypatch.setattr(clock, "now", lambda: then)

    return go


def deliver(doors: Doors, accounts: str, *days: dt.date) -> None:
    for day in days:
        doors.workspace.deliver(CUSTOMERS, accounts, day)


def deliver_undated(doors: Doors, accounts: str) -> None:
    (doors.workspace.inputs / "Customer.csv").write_text(CUSTOMER_HEADER + CUSTOMERS)
    (doors.workspace.inputs / "accounts.csv").write_text(
        "AccountID,CustomerID,Balance,AccountType\n" + accounts
    )


def process_elsewhere(doors: Doors, *days: dt.date, **build: object) -> None:
    """Record that what lies there was processed, and published if it may be."""
    record(doors.workspace, days, **build)
    with journal_of(doors.workspace) as journal:
        journal.publish(max(days), "digest")


def asked(requests: list[dg.RunRequest]) -> list[str]:
    """The days that runs are asked for, as text."""
    return [
        it.tags.get("dagster/partition")
        or f"{it.tags['dagster/asset_partition_range_start']} to "
        f"{it.tags['dagster/asset_partition_range_end']}"
        for it in requests
    ]


def failed(doors: Doors, requests: list[dg.RunRequest]) -> None:
    """Record that the runs that were asked for have failed."""
    for request in requests:
        run = dg.DagsterRun(
            job_name=request.job_name or "process_delivery",
            tags=dict(request.tags),
            status=dg.DagsterRunStatus.FAILURE,
        )
        doors.instance.add_run(run)


def test_a_delivery_that_comes_back_after_another_one_is_processed_again(doors: Doors) -> None:
    for accounts in (A, B, A):
        deliver(doors, accounts, DAYS[0])
        requests, _ = doors.tick()
        assert asked(requests) == ["2026-03-10"]
        process_elsewhere(doors, DAYS[0])
        assert doors.tick() == ([], IDLE)


def test_a_date_before_the_first_holds_up_no_other_and_is_told(doors: Doors) -> None:
    deliver(doors, A, dt.date(2019, 12, 31), DAYS[0])

    assert asked(doors.tick()[0]) == ["2026-03-10"]
    process_elsewhere(doors, DAYS[0])

    requests, said = doors.tick()
    assert requests == []
    assert "2019-12-31: its date lies before FIRST_AS_OF_DATE=2020-01-01" in said
    # Also when nothing has changed since.
    assert doors.tick() == (requests, said)


def test_a_time_of_change_in_the_future_holds_up_nothing(doors: Doors) -> None:
    deliver(doors, A, DAYS[0])
    ahead = dt.datetime(2031, 5, 5, tzinfo=dt.UTC).timestamp()
    os.utime(doors.workspace.inputs / "2026-03-10" / "accounts.csv", (ahead, ahead))

    assert asked(doors.tick()[0]) == ["2026-03-10"]


def test_a_file_that_may_still_be_written_is_waited_for_and_told(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(doors, A, DAYS[0])
    monkeypatch.setenv("SENSOR_SETTLE_SECONDS", "3600")

    requests, said = doors.tick()

    assert requests == []
    assert "waiting: " in said
    assert "2026-03-10: a file changed" in said


def test_a_run_that_failed_is_tried_again_after_growing_pauses(
    doors: Doors, later: Callable[[float], None]
) -> None:
    deliver(doors, A, DAYS[0])
    first, _ = doors.tick()
    failed(doors, first)

    assert doors.tick() == ([], "waiting: runs are under way, or failed and wait")
    later(61)
    second, _ = doors.tick()
    assert second[0].run_key != first[0].run_key
    failed(doors, second)
    # The pause is twice as long now.
    later(100)
    assert doors.tick()[0] == []
    later(130)
    third, _ = doors.tick()
    assert asked(third) == ["2026-03-10"]
    # Other files are no second try.
    failed(doors, third)
    deliver(doors, B, DAYS[0])
    assert asked(doors.tick()[0]) == ["2026-03-10"]


def test_days_that_failed_together_are_tried_apart(doors: Doors) -> None:
    deliver(doors, A, *DAYS)
    together, _ = doors.tick()
    assert asked(together) == ["2026-03-10 to 2026-03-13"]

    failed(doors, together)
    halves, _ = doors.tick()
    assert asked(halves) == ["2026-03-10 to 2026-03-11", "2026-03-12 to 2026-03-13"]
    failed(doors, halves)
    assert asked(doors.tick()[0]) == [day.isoformat() for day in DAYS]


def test_a_refused_delivery_holds_up_no_other_and_waits_for_other_files(doors: Doors) -> None:
    deliver(doors, A, DAYS[0])
    doors.workspace.deliver(CUSTOMERS, b"a;b\n1;2\n", DAYS[1])
    requests, _ = doors.tick()
    assert asked(requests) == ["2026-03-10 to 2026-03-11"]
    assert not doors.ask(requests[0])

    # The good day is landed; what was refused is not tried again, and is told.
    assert asked(doors.tick()[0]) == ["2026-03-10"]
    process_elsewhere(doors, DAYS[0])
    for _ in range(2):
        requests, said = doors.tick()
        assert requests == []
        assert said.startswith("waiting: 2026-03-11: ")
        assert "separated by a semicolon" in said
    deliver(doors, A, DAYS[1])
    assert asked(doors.tick()[0]) == ["2026-03-11"]


def test_undated_files_are_taken_once_and_stay_where_they_are(doors: Doors) -> None:
    deliver_undated(doors, A)
    assert asked(doors.tick()[0]) == [TODAY.isoformat()]

    yesterday = TODAY - dt.timedelta(days=1)
    record(doors.workspace, [TODAY], is_built=False)
    assert asked(doors.tick()[0]) == [TODAY.isoformat()]
    with journal_of(doors.workspace) as journal:
        # As if a day had passed since.
        journal.land("elsewhere", {yesterday: journal.days[TODAY].files})
        journal.land("elsewhere", {TODAY: ""})
    assert doors.tick()[0] == []


def test_a_held_delivery_waits_for_its_approval(
    doors: Doors, later: Callable[[float], None]
) -> None:
    deliver(doors, A, DAYS[0])
    record(doors.workspace, [DAYS[0]], is_built=False, held=[DAYS[0]])

    for _ in range(2):
        requests, said = doors.tick()
        assert requests == []
        assert "2026-03-10: it is held" in said
    with journal_of(doors.workspace) as journal:
        journal.release(DAYS[0])
    later(601)
    assert asked(doors.tick()[0]) == ["2026-03-10"]


def test_what_was_built_and_not_published_is_published(doors: Doors) -> None:
    deliver(doors, A, DAYS[0])
    record(doors.workspace, [DAYS[0]])

    requests, _ = doors.tick()

    assert [it.job_name for it in requests] == ["publish_outputs"]
    assert asked(requests) == ["2026-03-10"]
    process_elsewhere(doors, DAYS[0])
    assert doors.tick() == ([], IDLE)


def test_a_tick_keeps_nothing_of_what_is_done(doors: Doors) -> None:
    deliver(doors, A, DAYS[0])
    process_elsewhere(doors, DAYS[0])
    doors.tick()
    before = doors.cursor or ""

    deliver(doors, A, *DAYS)
    process_elsewhere(doors, *DAYS)

    assert doors.tick() == ([], IDLE)
    assert len(doors.cursor or "") == len(before) <= 40


def test_a_quiet_tick_asks_no_warehouse(doors: Doors) -> None:
    deliver(doors, A, DAYS[0])
    process_elsewhere(doors, DAYS[0])
    doors.tick()
    doors.workspace.database.unlink()

    assert doors.tick() == ([], IDLE)


def test_a_run_that_holds_the_database_is_waited_for(doors: Doors) -> None:
    deliver(doors, A, DAYS[0])
    record(doors.workspace, [DAYS[0]])
    holding = (
        "import sys, duckdb\nc = duckdb.connect(sys.argv[1])\nprint('open', flush=True)\n"
        "sys.stdin.read()\n"
    )

    with another_process(holding, doors.workspace.database):
        assert doors.tick() == ([], "waiting: a run is going on")
    assert doors.tick()[0] != []


def test_a_run_of_the_same_days_is_waited_for(doors: Doors) -> None:
    deliver(doors, A, *DAYS[:2])
    requests, _ = doors.tick()
    doors.instance.add_run(
        dg.DagsterRun(
            job_name="process_delivery",
            tags=dict(requests[0].tags),
            status=dg.DagsterRunStatus.STARTED,
        )
    )

    assert doors.tick() == ([], "waiting: runs are under way, or failed and wait")


def test_large_days_are_asked_for_apart(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(doors, A, *DAYS[:2])
    # As if memory were so small that each of these deliveries were large.
    monkeypatch.setattr(plan, "_PARTS_OF_MEMORY", 2**24)

    assert asked(doors.tick()[0]) == ["2026-03-10", "2026-03-11"]


def test_a_backfill_of_days_without_folders_takes_no_undated_files(doors: Doors) -> None:
    deliver_undated(doors, A)

    assert not doors.run([dt.date(2026, 3, 1), dt.date(2026, 3, 2)], {"dagster/backfill": "a"})
    assert not doors.run([dt.date(2026, 3, 3)], {"dagster/backfill": "a"})

    assert not doors.workspace.outputs.exists()
    assert dt.date(2026, 3, 3) not in states(doors.workspace)


def test_requests_name_the_files_that_they_are_about(doors: Doors) -> None:
    deliver(doors, A, DAYS[0])
    first = doors.tick()[0][0]
    shutil.rmtree(doors.workspace.inputs / "2026-03-10")
    deliver(doors, A, DAYS[0])

    again = doors.tick()[0][0]

    assert first.tags[DELIVERY_TAG] != again.tags[DELIVERY_TAG]
    assert first.run_key != again.run_key
