"""What today is, is decided in the business time zone: by all who ask, around its midnight."""

import datetime as dt
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import dagster as dg
import pytest
from click.testing import CliRunner

from lending_club_pipeline.cli import cli
from lending_club_pipeline.config import clock
from lending_club_pipeline.config.settings import DataPlatformConfig, load_settings
from lending_club_pipeline.contract.errors import ConfigurationError, RefusedDeliveryError
from lending_club_pipeline.defs.partitions import daily_partitions, monthly_partitions
from lending_club_pipeline.defs.schedules import build_schedules
from lending_club_pipeline.defs.sensors import build_delivery_sensor
from lending_club_pipeline.ingest.deliveries.discovery import find_delivery, refuse_future
from lending_club_pipeline.runs.doctor import preflight_checks
from lending_club_pipeline.runs.outlook import date_of_delivery

UTC: Final = dt.UTC
# When it is midnight there, and the date there until then.
MIDNIGHTS: Final = {
    "Pacific/Auckland": dt.datetime(2026, 3, 10, 11, tzinfo=UTC),
    "Asia/Tokyo": dt.datetime(2026, 3, 10, 15, tzinfo=UTC),
    "America/Los_Angeles": dt.datetime(2026, 3, 10, 7, tzinfo=UTC),
    "UTC": dt.datetime(2026, 3, 10, tzinfo=UTC),
}
BEFORE: Final = {
    "Pacific/Auckland": dt.date(2026, 3, 10),
    "Asia/Tokyo": dt.date(2026, 3, 10),
    "America/Los_Angeles": dt.date(2026, 3, 9),
    "UTC": dt.date(2026, 3, 9),
}
DAY: Final = dt.timedelta(days=1)
INSTANT: Final = dt.timedelta(seconds=1)


@pytest.fixture(params=MIDNIGHTS)
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name: str = request.param
    monkeypatch.setenv("BUSINESS_TIMEZONE", name)
    # The machine may be anywhere.
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    return name


@contextmanager
def at(moment: dt.datetime) -> Iterator[DataPlatformConfig]:
    """The settings, at a moment of our own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: moment)
        yield load_settings()


def around_midnight(zone: str) -> Iterator[tuple[dt.datetime, dt.date]]:
    """The last second of a day with its date, and the first of the next one with its own."""
    yield MIDNIGHTS[zone] - INSTANT, BEFORE[zone]
    yield MIDNIGHTS[zone], BEFORE[zone] + DAY


def test_today_changes_at_midnight_there(zone: str) -> None:
    for moment, date in around_midnight(zone):
        with at(moment) as settings:
            assert settings.today() == clock.Today(date, zone)


def test_today_is_accepted_and_tomorrow_is_refused(zone: str, tmp_path: Path) -> None:
    for moment, date in around_midnight(zone):
        with at(moment) as settings:
            refuse_future(date, settings.today(), tmp_path)

            said = f"lies in the future .today is {date} in {zone}"
            with pytest.raises(RefusedDeliveryError, match=said):
                refuse_future(date + DAY, settings.today(), tmp_path)


def test_undated_files_are_of_today_there(
    zone: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path)
    monkeypatch.setenv("INPUT_PATH", str(tmp_path))
    for moment, date in around_midnight(zone):
        with at(moment) as settings:
            assert date_of_delivery(settings, settings.today()) == date
            assert (
                find_delivery(settings.deliveries.input_path, None, settings.today()).as_of_date
                == date
            )


def test_the_sensor_takes_today_and_not_tomorrow(
    zone: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INPUT_PATH", str(tmp_path))
    put(tmp_path / (BEFORE[zone] + DAY).isoformat())
    for moment, date in around_midnight(zone):
        with at(moment) as settings:
            with dg.build_sensor_context(instance=dg.DagsterInstance.ephemeral()) as context:
                requests = build_delivery_sensor(settings).evaluate_tick(context).run_requests or []

            tomorrow = BEFORE[zone] + DAY
            asked = [it.tags["dagster/partition"] for it in requests]
            assert asked == ([tomorrow.isoformat()] if date == tomorrow else [])


def test_the_schedule_runs_at_six_there_for_the_day_there(zone: str) -> None:
    schedule = build_schedules(zone)[0]
    six = MIDNIGHTS[zone] + 6 * dt.timedelta(hours=1)

    context = dg.build_schedule_context(scheduled_execution_time=six)
    request = schedule(context)

    assert (schedule.execution_timezone, schedule.cron_schedule) == (zone, "0 6 * * *")
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == (BEFORE[zone] + DAY).isoformat()


def test_today_has_a_partition_and_tomorrow_has_none(zone: str) -> None:
    first = dt.date(2026, 1, 1)
    for moment, date in around_midnight(zone):
        with dg.partition_loading_context(moment):
            days = daily_partitions(first, zone).get_partition_keys()
            months = monthly_partitions(first, zone).get_partition_keys()

        assert days[-1] == date.isoformat()
        assert months[-1] == date.replace(day=1).isoformat()


def test_the_command_line_says_which_day_it_is_where(zone: str) -> None:
    moment, date = next(around_midnight(zone))
    with at(moment):
        result = CliRunner().invoke(cli, ["run", "--from", (date + DAY).isoformat()])

    assert result.exit_code == 2
    assert f"is after today ({date} in {zone})" in result.output


def test_the_doctor_knows_of_which_day_the_delivery_is(zone: str, tmp_path: Path) -> None:
    put(tmp_path)
    for moment, date in around_midnight(zone):
        with at(moment):
            findings = preflight_checks({"input_path": tmp_path})
            found = {it.subject: it.detail for it in findings}

            assert found["delivery"].startswith(date.isoformat())


def put(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, header in (
        ("Customer.csv", "CustomerID,Name,HasLoan\n"),
        ("accounts.csv", "AccountID,CustomerID,Balance,AccountType\n"),
    ):
        (folder / name).write_text(header)
        os.utime(folder / name, (0, 0))


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (dt.datetime(2026, 4, 4, 10, 59, 59, tzinfo=UTC), 4),
        (dt.datetime(2026, 4, 4, 11, tzinfo=UTC), 5),
        (dt.datetime(2026, 4, 5, 11, 59, 59, tzinfo=UTC), 5),
        (dt.datetime(2026, 4, 5, 12, tzinfo=UTC), 6),
    ],
)
def test_the_day_on_which_summer_time_ends_has_25_hours(moment: dt.datetime, day: int) -> None:
    assert clock.day_of(moment, "Pacific/Auckland").date == dt.date(2026, 4, day)


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("Auckland", "Pacific/Auckland"),
        ("pacific/auckland", "Pacific/Auckland"),
        ("America/Los Angeles", "America/Los_Angeles"),
        ("Asia/Tokio", "Asia/Tokyo"),
        ("NZDT+13", None),
        ("/etc/localtime", None),
        ("localtime", None),
        ("America", None),
        ("../UTC", "UTC"),
    ],
)
def test_what_is_no_time_zone_is_refused(
    monkeypatch: pytest.MonkeyPatch, wrong: str, meant: str | None
) -> None:
    monkeypatch.setenv("BUSINESS_TIMEZONE", wrong)

    with pytest.raises(ConfigurationError) as caught:
        load_settings()

    hint = f" (did you mean {meant}?)" if meant else ""
    assert str(caught.value).startswith(
        f"BUSINESS_TIMEZONE={wrong} is not allowed: write the IANA name of a time zone, such as "
        f"Pacific/Auckland{hint}"
    )
    assert ("did you mean" in str(caught.value)) == bool(meant)


def test_nobody_else_asks_what_time_it_is() -> None:
    package = Path(clock.__file__).parents[1]
    asking = re.compile(r"datetime\.now\(|date\.today\(|datetime\.utcnow\(")
    found = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if asking.search(path.read_text(encoding="utf-8"))
    }

    assert found == {"config/clock.py"}
