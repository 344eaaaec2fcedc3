"""A run that was killed on one machine is completed on another: nothing of it lies on a disk."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from lending_club_pipeline.defs.project import build_definitions
from lending_club_pipeline.warehouse import choose_warehouse
from tests import commands
from tests.faults.histories import CUSTOMERS, VARIANTS, History, differences
from tests.faults.processes import Ended, KillPoint, run_and_kill
from tests.workspaces import AS_OF, Workspace

RUN = ("run", "--as-of", AS_OF.isoformat())
BEFORE = AS_OF.replace(day=30)
MOMENTS = (
    "Splitting accounts.csv",
    "dbt base_accounts",
    "dbt account_summary_daily",
    "Writing quarantine.csv",
)


@dataclass
class Story:
    """A delivery that is restated, before the run that processes it, and after it."""

    workspace: Workspace
    before: Path
    ended: Ended
    outputs: dict[str, bytes]


@pytest.fixture(scope="module")
def story(
    new_workspace: Callable[[str], Workspace], tmp_path_factory: pytest.TempPathFactory
) -> Story:
    workspace = new_workspace("machine")
    for day, variant in ((BEFORE, 0), (AS_OF, 1)):
        workspace.deliver(CUSTOMERS, VARIANTS[variant], day)
    report = workspace.run_range(BEFORE, AS_OF)
    assert report.outcomes == {"success"}
    workspace.deliver(CUSTOMERS, VARIANTS[2], AS_OF)
    before = tmp_path_factory.mktemp("before") / "now"
    shutil.copytree(workspace.root, before)
    ended = run_and_kill(workspace, RUN)
    assert ended.code == 0, ended.text
    return Story(workspace, before, ended, workspace.output_bytes())


@pytest.mark.exhaustive
@pytest.mark.parametrize("moment", MOMENTS)
def test_the_next_run_of_another_machine_gives_the_bytes_of_an_undisturbed_one(
    story: Story, tmp_path: Path, prepared_dbt: Path, moment: str
) -> None:
    workspace = Workspace(tmp_path / "now")
    shutil.copytree(story.before, workspace.root)
    line = next(n for n, it in enumerate(story.ended.lines) if it.startswith(moment))
    killed = run_and_kill(workspace, RUN, KillPoint(line=line))
    assert killed.is_killed, killed.text

    # Of the first machine there is no disk any more, but for what machines share.
    for name in ("landing", "dagster"):
        shutil.rmtree(workspace.root / name)
    other = tmp_path / "other machine"
    shutil.copytree(prepared_dbt, other / "dagster" / "dbt")
    elsewhere = workspace.environment() | {
        "LANDING_PATH": str(other / "landed"),
        "DAGSTER_HOME": str(other / "dagster"),
    }
    ended = commands.run(RUN, elsewhere, other)

    assert ended.returncode == 0, ended.stderr
    assert workspace.output_bytes() == story.outputs
    again = commands.run(RUN, elsewhere, other)
    assert "nothing to do" in " ".join(again.stdout.split())


@pytest.mark.exhaustive
def test_a_landing_folder_that_is_gone_between_runs_costs_time_alone(workspace: Workspace) -> None:
    history = History()

    def process(day_and_variant: tuple[int, int]) -> None:
        day, variant = AS_OF.replace(day=day_and_variant[0]), day_and_variant[1]
        workspace.deliver(CUSTOMERS, VARIANTS[variant], day)
        history.delivered[day] = variant
        report = workspace.run_range(day, day)
        assert report.outcomes == {"success"}, report
        history.processed([day], is_forced=False)
        shutil.rmtree(workspace.settings().landing)

    for step in ((29, 0), (30, 1), (29, 2)):
        process(step)
        assert list(differences(history, workspace)) == []

    unchanged = workspace.run_range(AS_OF.replace(day=29), AS_OF.replace(day=30))
    assert unchanged.outcomes == {"unchanged"}


@contextmanager
def set_aside(folder: Path) -> Iterator[None]:
    aside = folder.with_name("set aside")
    folder.rename(aside)
    yield
    aside.rename(folder)


def test_models_of_a_day_that_is_landed_nowhere_say_what_to_do(workspace: Workspace) -> None:
    workspace.deliver(CUSTOMERS, VARIANTS[0])
    assert workspace.run().outcome == "success"
    warehouse = choose_warehouse(workspace.settings())
    count = "select count(*) as n from account_summary_daily"
    with warehouse.session(read_only=True):
        before = warehouse.fetch(count)
    job = build_definitions(workspace.settings()).resolve_job_def("process_delivery")

    with set_aside(workspace.settings().landing):
        result = job.execute_in_process(
            asset_selection=[dg.AssetKey("stg_accounts__cleaned")],
            tags={"dagster/partition": AS_OF.isoformat()},
            raise_on_error=False,
        )

    assert not result.success
    failed = next(event for event in result.all_events if event.is_step_failure)
    data = failed.step_failure_data.user_failure_data
    assert data is not None
    assert "Materialize customers_raw of it first" in (data.description or "")
    with warehouse.session(read_only=True):
        assert warehouse.fetch(count) == before
    assert before[0]["n"] > 0
