"""When deliveries are expected, and how many records are usual."""

import datetime as dt

import pytest

from lending_club_pipeline.config.calendars import Calendar, missing_days
from lending_club_pipeline.config.settings import load_settings
from lending_club_pipeline.contract.errors import ConfigurationError
from lending_club_pipeline.reconcile.freshness_and_volume import expected_volume


def january(*days: int) -> set[dt.date]:
    return {dt.date(2026, 1, day) for day in days}


@pytest.mark.parametrize(
    ("calendar", "holidays", "missing"),
    [
        # 2 January 2026 is a Friday.
        pytest.param("every_day", january(), january(3, 4, 6), id="every day"),
        pytest.param("weekdays", january(), january(6), id="weekdays"),
        pytest.param("every_day", january(4, 5, 6), january(3), id="holidays"),
    ],
)
def test_days_between_the_first_and_the_newest_delivery_are_expected(
    calendar: Calendar, holidays: set[dt.date], missing: set[dt.date]
) -> None:
    found = missing_days(january(2, 5, 7), calendar, holidays)

    assert found == sorted(missing)


def test_before_any_delivery_nothing_is_missing() -> None:
    assert missing_days(set(), "every_day", ()) == []


def test_few_deliveries_do_not_tell_what_is_usual() -> None:
    assert expected_volume([100, 100, 100, 100]) is None


def test_a_tenth_of_the_median_is_usual_where_deliveries_hardly_differ() -> None:
    usual = expected_volume([100, 100, 100, 101, 5000])

    assert usual is not None
    assert [usual.has(records) for records in (89, 90, 110, 111)] == [False, True, True, False]


def test_what_is_usual_is_as_wide_as_deliveries_differ() -> None:
    """Median 100, distances 20, 10, 0, 10, 20: MAD 10, and five times 1.4826 times 10 is 74.13."""
    usual = expected_volume([80, 90, 100, 110, 120])

    assert usual is not None
    assert [usual.has(records) for records in (25, 26, 174, 175)] == [False, True, True, False]


def test_only_the_last_thirty_deliveries_count() -> None:
    usual = expected_volume([1] * 100 + [1000] * 30)

    assert usual is not None
    assert not usual.has(1)
    assert usual.has(1000)


def test_holidays_that_are_no_dates_are_named() -> None:
    with pytest.raises(ConfigurationError, match=r"DELIVERY_HOLIDAYS.*is not allowed"):
        load_settings({"delivery_holidays": "2026-13-01"})
