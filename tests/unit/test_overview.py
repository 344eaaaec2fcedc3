"""How a business date stands: from what is known of it and what lies in the inputs."""

import datetime as dt
import json
from pathlib import Path

import pytest

from lending_club_pipeline.config.calendars import parse_deadline
from lending_club_pipeline.config.clock import Today
from lending_club_pipeline.config.settings import load_settings
from lending_club_pipeline.ingest.deliveries.watch import Watch, look
from lending_club_pipeline.runs.day_states import DayState
from lending_club_pipeline.runs.overview import days_due, overview
from tests.workspaces import Workspace

NOW = dt.datetime(2026, 3, 9, 12, tzinfo=dt.UTC)
D1, D2 = dt.date(2026, 3, 7), dt.date(2026, 3, 8)
BUILT = {
    "landed_at": NOW,
    "build_started_at": NOW,
    "build_ended_at": NOW,
    "is_built": True,
    "is_closed": True,
}


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    workspace = Workspace(tmp_path)
    workspace.deliver("1,Ada,Yes\n", "A,1,1,Savings\n", D1)
    return look(
        workspace.inputs, dt.date(2026, 1, 1), Today(NOW.date()), dt.datetime.now(dt.UTC), 0
    )


def as_landed(watch: Watch) -> str:
    identity: dict[str, list[object]] = json.loads(watch.identities[D1])
    return json.dumps({name: [*it, "", ""] for name, it in identity.items()})


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param(None, ("new", "changed"), id="never processed"),
        pytest.param(BUILT, ("new", "changed"), id="other files than before"),
        pytest.param({**BUILT, "files": "same"}, ("processed", "unchanged"), id="processed"),
        pytest.param(
            {**BUILT, "files": "same", "published_at": NOW}, ("published", "unchanged"), id="out"
        ),
        pytest.param({**BUILT, "files": "same", "is_held": True}, ("held", "unchanged"), id="held"),
        pytest.param(
            {"refused": "why", "refused_files": "same"}, ("refused", "refused"), id="refused"
        ),
        pytest.param(
            {**BUILT, "files": "same", "refused": "why", "refused_files": "{}"},
            ("processed", "unchanged"),
            id="a refused one was taken back",
        ),
        pytest.param(
            {**BUILT, "files": "same", "is_built": False}, ("failed", "unchanged"), id="failed"
        ),
        pytest.param(
            {**BUILT, "files": "same", "build_ended_at": None},
            ("interrupted", "unchanged"),
            id="interrupted",
        ),
        pytest.param(
            {**BUILT, "files": "same", "expired_at": NOW}, ("expired", "unchanged"), id="expired"
        ),
    ],
)
def test_how_a_date_stands(
    watch: Watch, known: dict[str, object] | None, expected: tuple[str, str]
) -> None:
    days = {}
    if known is not None:
        texts = {"files": as_landed(watch), "refused_files": watch.identities[D1]}
        given = {name: texts.get(name) if it == "same" else it for name, it in known.items()}
        days = {D1: DayState(D1, **given)}  # type: ignore[arg-type]

    (day,) = overview(days, watch, [])

    assert (day.standing, day.delivery) == expected


def look_now(tmp_path: Path, settle_seconds: float) -> Watch:
    now = dt.datetime.now(dt.UTC)
    return look(tmp_path / "inputs", dt.date(2026, 1, 1), Today(NOW.date()), now, settle_seconds)


def test_what_was_refused_a_moment_ago_stays_refused_while_its_files_may_still_change(
    tmp_path: Path,
) -> None:
    Workspace(tmp_path).deliver("1,Ada,Yes\n", "A,1,1,Savings\n", D1)
    days = {D1: DayState(D1, refused="why", refused_files="those"), D2: DayState(D2, **BUILT)}  # type: ignore[arg-type]

    (first, _) = overview(days, look_now(tmp_path, settle_seconds=3600), [])

    assert (first.standing, first.delivery, first.message) == ("refused", "pending", "why")


def test_half_a_delivery_does_not_end_a_refusal_and_its_end_does(tmp_path: Path) -> None:
    inputs = Workspace(tmp_path).deliver("1,Ada,Yes\n", "A,1,1,Savings\n", D1)
    (inputs / "accounts.csv").unlink()
    days = {D1: DayState(D1, refused="why", refused_files="those")}
    found = [overview(days, look_now(tmp_path, 0), [])[0]]
    (inputs / "Customer.csv").unlink()
    inputs.rmdir()
    found.append(overview(days, look_now(tmp_path, 0), [])[0])

    assert [(day.standing, day.delivery) for day in found] == [
        ("refused", "pending"),
        ("missing", "absent"),
    ]


def test_a_folder_of_deliveries_that_is_gone_ends_no_refusal(tmp_path: Path) -> None:
    days = {D1: DayState(D1, refused="why", refused_files="those")}

    (day,) = overview(days, look_now(tmp_path, 0), [])

    assert (day.standing, day.delivery) == ("refused", "unknown")


def test_a_due_date_without_delivery_is_missing(watch: Watch) -> None:
    assert [day.standing for day in overview({}, watch, [D2])] == ["new", "missing"]


@pytest.mark.parametrize(
    ("deadline", "hour", "due"),
    [
        pytest.param("", 12, [], id="no deadline"),
        pytest.param("11:59", 12, [7, 8, 9], id="passed"),
        pytest.param("12:01", 12, [7, 8], id="not yet"),
        pytest.param("11:59+1", 12, [7, 8], id="the day after"),
        pytest.param("12:01+1", 12, [7], id="the day after, not yet"),
    ],
)
def test_a_delivery_is_due_when_the_deadline_of_its_day_has_passed(
    deadline: str, hour: int, due: list[int]
) -> None:
    settings = load_settings({"delivery_deadline": deadline})

    found = days_due(settings, [D1], NOW.replace(hour=hour))

    assert [date.day for date in found] == due


@pytest.mark.parametrize("text", ["8:00", "24:00", "08:60", "08:00 +1d", "noon"])
def test_a_deadline_is_a_time_of_the_day(text: str) -> None:
    with pytest.raises(ValueError, match="HH:MM"):
        parse_deadline(text)
