"""What the sensor asks of a bucket, and what it finds there."""

import datetime as dt
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from lending_club_pipeline.config import clock
from lending_club_pipeline.config.settings import load_settings
from lending_club_pipeline.storage.inputs import watched_inputs
from tests.objects import proxies
from tests.objects.buckets import Bucket, ObjectWorkspace
from tests.objects.proxies import Proxy
from tests.objects.test_runs import each_store
from tests.pipeline.doors import open_doors

TODAY = dt.datetime.now(dt.UTC).date()
CUSTOMERS, ACCOUNTS = "1,Ada,Yes\n", "A,1,100,Savings\n"


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let some minutes pass."""

    def go(minutes: float) -> None:
        then = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes)
        monkeypatch.setattr(clock, "now", lambda: then)

    return go


def behind(proxy: Proxy) -> list[str]:
    """Where the lists of the last look began; empty for one of all."""
    asked = [parse_qs(urlsplit(it.path).query) for it in proxy.asked("GET", "list-type")]
    proxy.requests.clear()
    return [it.get("start-after", [""])[0] for it in asked]


def test_between_whole_lists_a_look_asks_for_the_newest_week_alone(
    bucket: Bucket, later: Callable[[float], None]
) -> None:
    for day in ("2026-01-01", "2026-03-01", "2026-03-10"):
        bucket.put(f"in/{day}/accounts.csv", b"x")
    with proxies.before(bucket.endpoint) as proxy:
        inputs = watched_inputs(
            load_settings({"input_path": bucket.url("in"), "objects_endpoint": proxy.endpoint})
        )

        def look() -> list[str]:
            return [it.name for it in inputs().iterdir()]

        assert look() == ["2026-01-01", "2026-03-01", "2026-03-10"]
        assert behind(proxy) == [""]
        # Newer ones, undated ones and those that are replaced or removed are seen at once.
        bucket.put("in/2026-03-11/accounts.csv", b"x")
        bucket.put("in/accounts.csv", b"x")
        bucket.remove("in/2026-03-10/accounts.csv")
        bucket.put("in/2026-02-01/accounts.csv", b"x")
        assert look() == ["2026-01-01", "2026-03-01", "2026-03-11", "accounts.csv"]
        assert behind(proxy) == ["in/2026-03-03"]
        # Older ones are with the next whole list.
        later(16)
        assert "2026-02-01" in look()
        assert behind(proxy) == [""]


@each_store
def test_the_sensor_takes_a_delivery_once_it_is_at_rest_and_its_run_publishes(
    in_objects: ObjectWorkspace, monkeypatch: pytest.MonkeyPatch, later: Callable[[float], None]
) -> None:
    in_objects.deliver(CUSTOMERS, ACCOUNTS, TODAY)
    monkeypatch.setenv("SENSOR_SETTLE_SECONDS", "30")
    with open_doors(in_objects) as doors:
        requests, said = doors.tick()
        assert requests == []
        assert f"{in_objects.bucket.url('in')}/{TODAY}: a file changed" in said

        later(1)
        (request,), _ = doors.tick()
        assert request.tags["dagster/partition"] == TODAY.isoformat()
        assert doors.ask(request)
        assert in_objects.bucket.manifest()["as_of_date"] == TODAY.isoformat()
        assert doors.tick() == ([], "No delivery is new or changed.")

        # Other content is another delivery.
        in_objects.bucket.put(f"in/{TODAY}/accounts.csv", b"others")
        later(2)
        (again,), _ = doors.tick()
        assert again.run_key != request.run_key
