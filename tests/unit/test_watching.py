"""Which deliveries the sensor takes, and how often."""

import datetime as dt
import os
from pathlib import Path

import pytest

from lending_club_pipeline.ingest.deliveries.watch import Watch, look

NOW = dt.datetime(2026, 3, 10, 12, 0, tzinfo=dt.UTC)
SETTLE = 30.0


def put(folder: Path, customers: str = "c", accounts: str = "a", age: float = 60) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("Customer.csv", customers), ("accounts.csv", accounts)):
        path = folder / name
        path.write_text(text)
        changed = NOW.timestamp() - age
        os.utime(path, (changed, changed))


def look_again(inputs: Path, before: Watch | None = None, now: dt.datetime = NOW) -> Watch:
    return look(inputs, before.memory if before else None, now, SETTLE)


def test_a_delivery_is_found_with_its_date(tmp_path: Path) -> None:
    put(tmp_path / "2026-03-09")

    watch = look_again(tmp_path)

    assert [delivery.as_of_date for delivery in watch.deliveries] == [dt.date(2026, 3, 9)]
    assert watch.deliveries[0].key.startswith("2026-03-09 Customer.csv=")


def test_an_unchanged_delivery_keeps_its_key_so_that_it_runs_once(tmp_path: Path) -> None:
    put(tmp_path / "2026-03-09")
    first = look_again(tmp_path)
    put(tmp_path / "2026-03-09", age=50)

    assert look_again(tmp_path, first).deliveries == first.deliveries


def test_a_changed_delivery_gets_another_key(tmp_path: Path) -> None:
    put(tmp_path / "2026-03-09")
    first = look_again(tmp_path)
    put(tmp_path / "2026-03-09", accounts="changed", age=50)

    assert look_again(tmp_path, first).deliveries[0].key != first.deliveries[0].key


def test_control_totals_that_come_make_another_delivery_and_are_waited_for(tmp_path: Path) -> None:
    folder = tmp_path / "2026-03-09"
    put(folder)
    first = look_again(tmp_path)
    control = folder / "control.csv"
    control.write_text("totals")
    os.utime(control, (NOW.timestamp() - 1, NOW.timestamp() - 1))

    assert not look_again(tmp_path, first).deliveries
    os.utime(control, (NOW.timestamp() - 60, NOW.timestamp() - 60))
    assert look_again(tmp_path, first).deliveries[0].key.startswith(first.deliveries[0].key)
    assert look_again(tmp_path, first).deliveries[0].key != first.deliveries[0].key


def test_undated_files_keep_their_key_on_the_days_after(tmp_path: Path) -> None:
    put(tmp_path)
    first = look_again(tmp_path)

    later = look_again(tmp_path, first, NOW + dt.timedelta(days=3))

    assert first.deliveries[0].as_of_date == NOW.date()
    assert later.deliveries[0].key == first.deliveries[0].key


def test_a_file_that_changed_a_moment_ago_is_left_alone(tmp_path: Path) -> None:
    put(tmp_path / "2026-03-09", age=SETTLE - 1)

    watch = look_again(tmp_path)

    assert watch.deliveries == ()
    assert watch.waiting == ("2026-03-09: a file changed a moment ago",)


def test_half_a_delivery_is_not_taken_and_says_what_is_missing(tmp_path: Path) -> None:
    put(tmp_path / "2026-03-09")
    (tmp_path / "2026-03-09" / "accounts.csv").unlink()

    watch = look_again(tmp_path)

    assert watch.deliveries == ()
    assert "the delivery has no accounts.csv" in watch.waiting[0]


def test_a_future_date_waits_for_its_day(tmp_path: Path) -> None:
    put(tmp_path / "2026-03-11")

    assert look_again(tmp_path).deliveries == ()
    assert look_again(tmp_path, now=NOW + dt.timedelta(days=1)).deliveries != ()


@pytest.mark.parametrize("name", ["missing", "file"])
def test_inputs_that_are_no_folder_hold_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")

    assert look_again(tmp_path / name).deliveries == ()


def test_a_file_is_read_again_only_if_it_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "2026-03-09")
    first = look_again(tmp_path)
    monkeypatch.setattr(
        "lending_club_pipeline.ingest.deliveries.watch.sha256_of",
        lambda path: pytest.fail(f"{path} was read again"),
    )

    assert look_again(tmp_path, first).deliveries == first.deliveries
