"""A database holds the deliveries of one sender, and of a late day is said what is published."""

import datetime as dt
import shutil

import pytest
from click.testing import CliRunner, Result

from lending_club_pipeline.cli import cli
from lending_club_pipeline.contract.errors import ConfigurationError
from lending_club_pipeline.runs.outlook import Request, look_ahead
from lending_club_pipeline.runs.plan import Process, Skip, Step
from tests.pipeline.doors import journal_of
from tests.workspaces import AS_OF, Workspace

OLDER = AS_OF - dt.timedelta(days=1)


@pytest.fixture
def copied(processed_workspace: Workspace) -> Workspace:
    return processed_workspace


def other(workspace: Workspace, day: dt.date) -> Workspace:
    """The deliveries of somebody else."""
    theirs = Workspace(workspace.root.parent / "theirs")
    theirs.deliver("7,Eve,No\n", "Z,7,5,Savings\nY,7,6,Savings\n", day)
    return theirs


def invoke(workspace: Workspace, *arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, env=workspace.variables())


def planned(workspace: Workspace, day: dt.date, **settings: object) -> list[Step]:
    given = workspace.settings(**settings)
    return list(look_ahead(given, Request(as_of=day), given.today()).steps)


@pytest.mark.parametrize("day", [OLDER, AS_OF])
def test_the_deliveries_of_another_folder_are_refused_with_what_to_do(
    copied: Workspace, day: dt.date
) -> None:
    theirs = other(copied, day)
    before = copied.output_bytes()

    folders = ("--inputs", str(theirs.inputs), "--outputs", str(theirs.outputs))
    ended = copied.command("run", *folders)

    assert ended.returncode == 2
    said = ended.stderr.splitlines()[-1]
    assert "this database belongs to the deliveries of " in said
    assert "by DUCKDB_PATH" in said
    assert "by setting DELIVERY_SOURCE to its name" in said
    assert not theirs.outputs.exists()
    assert copied.output_bytes() == before


def test_a_folder_that_was_moved_or_copied_is_recognized(copied: Workspace) -> None:
    moved = copied.root / "moved"
    shutil.copytree(copied.inputs, moved)
    shutil.rmtree(copied.inputs)

    assert planned(copied, AS_OF, input_path=moved) == [Skip(AS_OF, "unchanged")]


def test_a_folder_that_is_not_there_is_not_named(copied: Workspace) -> None:
    theirs = other(copied, OLDER).inputs
    deeper = copied.root / "a" / "b" / "copied.duckdb"
    deeper.parent.mkdir(parents=True)
    shutil.copy(copied.database, deeper)

    with pytest.raises(ConfigurationError, match="belongs to the deliveries of another folder,"):
        planned(copied, OLDER, input_path=theirs, duckdb_path=deeper)


def test_a_sender_may_deliver_into_any_folder(copied: Workspace) -> None:
    theirs = other(copied, OLDER).inputs

    # A database that knew a folder alone learns the name, and knows nobody else from then on.
    assert planned(copied, OLDER, input_path=theirs, delivery_source="bank") == [Process((OLDER,))]
    with journal_of(copied) as journal:
        journal.land("bank", {AS_OF: journal.days[AS_OF].files})
    assert planned(copied, OLDER, input_path=theirs, delivery_source="bank") == [Process((OLDER,))]
    with pytest.raises(ConfigurationError, match="by setting DELIVERY_SOURCE=bank"):
        planned(copied, OLDER, input_path=theirs)
    with pytest.raises(ConfigurationError, match="belongs to DELIVERY_SOURCE=bank"):
        planned(copied, OLDER, input_path=theirs, delivery_source="another bank")


def test_of_a_late_day_is_said_first_what_is_still_published(copied: Workspace) -> None:
    copied.deliver("1,Ada,Yes\n", "A1,1,90,Savings\nB,1,7,Savings\n", OLDER)

    result = invoke(copied, "run", "--as-of", OLDER.isoformat())

    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"Published is still the delivery of {AS_OF}: ")
    assert f"{OLDER} is an older day" in result.stdout
    assert (copied.outputs / "account_summary.csv").read_text().splitlines()[1:] == [
        "1,A1,100.00,0.0150,1.50,101.50"
    ]
