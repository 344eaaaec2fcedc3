"""Which deliveries the sensor may take, and why it does not take others."""

import datetime as dt
import os
from pathlib import Path

import pytest

from lending_club_pipeline.config.clock import Today
from lending_club_pipeline.ingest.deliveries.watch import Watch, look

NOW = dt.datetime(2026, 3, 10, 12, 0, tzinfo=dt.UTC)
DAY = dt.date(2026, 3, 9)
FIRST = dt.date(2020, 1, 1)
SETTLE = 30.0


def put(folder: Path, customers: str = "c", accounts: str = "a", age: float = 60) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("Customer.csv", customers), ("accounts.csv", accounts)):
        path = folder / name
        path.write_text(text)
        changed = NOW.timestamp() - age
        os.utime(path, (changed, changed))


def look_at(inputs: Path, now: dt.datetime = NOW) -> Watch:
    return look(inputs, FIRST, Today(now.date()), now, SETTLE)


def test_a_delivery_is_found_with_its_date(tmp_path: Path) -> None:
    put(tmp_path / "2026-03-09")

    assert list(look_at(tmp_path).deliveries) == [DAY]


def test_nothing_changes_while_nothing_changes(tmp_path: Path) -> None:
    put(tmp_path / "2026-03-09")

    assert look_at(tmp_path).digest == look_at(tmp_path).digest


def test_a_file_of_the_same_size_and_time_is_another_one_if_it_was_replaced(tmp_path: Path) -> None:
    put(tmp_path / "2026-03-09")
    before = look_at(tmp_path)
    put(tmp_path / "2026-03-09", accounts="b")

    after = look_at(tmp_path)

    assert after.digest != before.digest
    assert after.identities[DAY] != before.identities[DAY]


def test_control_totals_that_come_make_another_delivery_and_are_waited_for(tmp_path: Path) -> None:
    folder = tmp_path / "2026-03-09"
    put(folder)
    before = look_at(tmp_path)
    control = folder / "control.csv"
    control.write_text("totals")
    os.utime(control, (NOW.timestamp() - 1, NOW.timestamp() - 1))

    assert not look_at(tmp_path).deliveries
    os.utime(control, (NOW.timestamp() - 60, NOW.timestamp() - 60))
    assert look_at(tmp_path).identities[DAY] != before.identities[DAY]


def test_undated_files_are_todays(tmp_path: Path) -> None:
    put(tmp_path)

    assert list(look_at(tmp_path).deliveries) == [NOW.date()]


def test_a_file_that_changed_a_moment_ago_is_left_alone(tmp_path: Path) -> None:
    put(tmp_path / "2026-03-09", age=SETTLE - 1)

    watch = look_at(tmp_path)

    assert watch.deliveries == {}
    assert watch.waiting == (f"{tmp_path / '2026-03-09'}: a file changed 29 s ago",)


def test_a_time_in_the_future_holds_up_no_file(tmp_path: Path) -> None:
    put(tmp_path / "2026-03-09")
    accounts = tmp_path / "2026-03-09" / "accounts.csv"
    ahead = dt.datetime(2031, 5, 5, tzinfo=dt.UTC).timestamp()
    os.utime(accounts, (ahead, ahead))
    later = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=SETTLE)

    assert list(look(tmp_path, FIRST, Today(later.date()), later, SETTLE).deliveries) == [DAY]


def test_a_date_before_the_first_holds_up_no_other(tmp_path: Path) -> None:
    put(tmp_path / "2019-12-31")
    put(tmp_path / "2026-03-09")

    watch = look_at(tmp_path)

    assert list(watch.deliveries) == [DAY]
    assert "lies before FIRST_AS_OF_DATE=2020-01-01" in watch.waiting[0]


def test_half_a_delivery_is_not_taken_and_says_what_is_missing(tmp_path: Path) -> None:
    put(tmp_path / "2026-03-09")
    (tmp_path / "2026-03-09" / "accounts.csv").unlink()

    watch = look_at(tmp_path)

    assert watch.deliveries == {}
    assert "the delivery has no accounts.csv" in watch.waiting[0]


def test_a_future_date_waits_for_its_day(tmp_path: Path) -> None:
    put(tmp_path / "2026-03-11")

    assert look_at(tmp_path).deliveries == {}
    assert look_at(tmp_path, now=NOW + dt.timedelta(days=1)).deliveries != {}


@pytest.mark.parametrize("name", ["missing", "file"])
def test_inputs_that_are_no_folder_hold_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")

    assert look_at(tmp_path / name).deliveries == {}
