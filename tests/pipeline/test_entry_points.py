"""Whatever starts a run, the same promises hold.

Each door processes the end of a month of its own, in one workspace, while a build of the day before
lies there that another machine never finished.
"""

import datetime as dt
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from lending_club_pipeline.dbt_runner.invocation import NodeResult, run_dbt
from lending_club_pipeline.dbt_runner.manifest import PreparedManifest
from lending_club_pipeline.defs.dbt import assets
from lending_club_pipeline.publish.manifest import holds, read_manifest
from lending_club_pipeline.publish.output_files import OUTPUT_FILES
from lending_club_pipeline.runs import plan
from lending_club_pipeline.runs.plan import Skip, newest_publishable
from lending_club_pipeline.storage.folder_outputs import FolderOutputs
from tests.pipeline.doors import Doors, journal_of, land, open_doors, states, steps
from tests.workspaces import Workspace

CUSTOMERS = "1,Ada,Yes\n2,Grace,No\n"
DAYS = {
    "command": dt.date(2026, 1, 31),
    "schedule": dt.date(2026, 2, 28),
    "sensor": dt.date(2026, 3, 31),
    "backfill": dt.date(2026, 4, 30),
    "by_hand": dt.date(2026, 5, 31),
}


def accounts(day: dt.date) -> str:
    return f"A,1,{day.month}00.{day.day},Savings\nB,2,20000,Savings\nC,9,1,Savings\n"


@pytest.fixture(scope="module")
def doors(new_workspace: Callable[[str], Workspace]) -> Iterator[Doors]:
    workspace = new_workspace("doors")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in workspace.environment().items():
            patch.setenv(name, value)
        patch.setenv("SENSOR_SETTLE_SECONDS", "0")
        with open_doors(workspace) as opened:
            yield opened


@pytest.fixture(autouse=True)
def _environment(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in doors.workspace.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SENSOR_SETTLE_SECONDS", "0")


def interrupt(workspace: Workspace, day: dt.date) -> None:
    """Record that a build of a day began on another machine and never ended."""
    workspace.deliver(CUSTOMERS, accounts(day), day)
    with journal_of(workspace) as journal:
        land(workspace, journal, day)
        journal.begin_build([day], "of a machine that is gone")


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The dates of each build by dbt, as dbt is given them."""
    dates: list[str] = []

    def run_dbt_and_tell(
        prepared: PreparedManifest, arguments: Sequence[str], *others: Any
    ) -> list[NodeResult]:
        dates.append(arguments[arguments.index("--vars") + 1])
        return run_dbt(prepared, arguments, *others)

    monkeypatch.setattr(assets, "run_dbt", run_dbt_and_tell)
    return dates


@pytest.mark.parametrize("name", DAYS)
def test_every_door_keeps_every_promise(
    doors: Doors, built: list[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    workspace, day = doors.workspace, DAYS[name]
    other = day - dt.timedelta(days=1)
    door: Callable[[dt.date], bool] = getattr(doors, name)
    interrupt(workspace, other)
    workspace.deliver(CUSTOMERS, accounts(day), day)
    if name == "backfill":
        # As if memory were so small that each of these deliveries were large.
        monkeypatch.setattr(plan, "_PARTS_OF_MEMORY", 2**24)

    assert door(day)

    # Both days are built, each once: in one build unless they are large.
    assert [sum(it.isoformat() in dates for dates in built) for it in (other, day)] == [1, 1]
    assert len(built) == (2 if name == "backfill" else 1)

    # It is recorded, the interrupted build is completed, and the month is closed.
    known = states(workspace)
    assert known[day].is_built
    assert known[day].is_closed
    assert known[other].is_built
    assert known[day].month_closed_at is not None
    assert newest_publishable(known) == known[max(known)]
    assert holds(FolderOutputs(workspace.outputs), known[max(known)].published_sha256)
    manifest = read_manifest(FolderOutputs(workspace.outputs))
    assert manifest is not None
    assert [it["name"] for it in manifest["files"]] == list(OUTPUT_FILES)
    assert manifest["as_of_date"] == max(known).isoformat()
    # The command line knows what another door has done, and has nothing to do.
    assert steps(workspace, day) == [Skip(day, "unchanged")]

    # What is unchanged is left alone, unless a person asks for this very partition.
    published = (workspace.outputs / "manifest.json").read_bytes()
    if name == "sensor":
        for file in (workspace.inputs / day.isoformat()).iterdir():
            os.utime(file, (1, 1))
    assert door(day)
    after = states(workspace)[day]
    is_asked_for = name == "by_hand"
    assert (after.build_ended_at != known[day].build_ended_at) == is_asked_for
    assert ((workspace.outputs / "manifest.json").read_bytes() != published) == is_asked_for
    assert steps(workspace, day) == [Skip(day, "unchanged")]
    if name == "sensor":
        assert doors.tick() == ([], "No delivery is new or changed.")

    # So is what is expired.
    with journal_of(workspace) as journal:
        journal.expire([day])
    if not is_asked_for:
        assert door(day)
        assert states(workspace)[day].build_ended_at == after.build_ended_at
        assert states(workspace)[day].expired_at is not None
