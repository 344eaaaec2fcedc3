"""One publication: a reader of the manifest sees one set, whenever it looks and whatever breaks."""

import hashlib
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from lending_club_pipeline.defs.execution import run_job
from lending_club_pipeline.defs.instance import ensure_dagster_home, open_instance
from lending_club_pipeline.defs.intents import FORCE_TAG
from lending_club_pipeline.defs.jobs import PUBLISH_JOB_NAME
from lending_club_pipeline.files.atomic import Publication, describe
from lending_club_pipeline.publish.manifest import FILE_NAME, holds, render_manifest
from lending_club_pipeline.publish.output_files import OUTPUT_FILES
from lending_club_pipeline.publish.tables import SortedTable, summary_in_order
from lending_club_pipeline.storage.folder_outputs import FolderOutputs
from lending_club_pipeline.warehouse import choose_warehouse
from tests.faults.killed_run import CHANGE
from tests.faults.processes import Ended, KillPoint, run_and_kill
from tests.pipeline.doors import states
from tests.workspaces import AS_OF, Workspace

RUN = ("run", "--as-of", AS_OF.isoformat())
PUBLICATIONS, LOOKS = 20, 1_000


def read_as_the_docs_say(outputs: Path) -> tuple[dict[str, object], dict[str, bytes]]:
    """The loop of docs/architecture.md."""
    while True:
        manifest = json.loads((outputs / FILE_NAME).read_bytes())
        files = {it["name"]: (outputs / it["name"]).read_bytes() for it in manifest["files"]}
        if all(
            hashlib.sha256(files[it["name"]]).hexdigest() == it["sha256"]
            for it in manifest["files"]
        ):
            return manifest, files


def publish(outputs: Path, number: int) -> None:
    """Publish files that all hold the same number."""
    with Publication() as publication:
        written = []
        for name in OUTPUT_FILES:
            work = publication.temp_path_for(outputs / name)
            work.write_text(f"{number}\n" * 1_000)
            written.append(describe(work, None, outputs / name))
        manifest = render_manifest(AS_OF, str(number), written)
        publication.temp_path_for(outputs / FILE_NAME).write_text(manifest)


def test_a_reader_never_sees_files_of_two_publications(tmp_path: Path) -> None:
    publish(tmp_path, 0)
    looked = threading.Event()

    def publish_again_and_again() -> None:
        number = 0
        while number < PUBLICATIONS or not looked.is_set():
            number += 1
            publish(tmp_path, number)

    writer = threading.Thread(target=publish_again_and_again)
    writer.start()
    seen = set()
    try:
        for _ in range(LOOKS):
            manifest, files = read_as_the_docs_say(tmp_path)
            seen.add(manifest["run_id"])
            assert set(files) == set(OUTPUT_FILES)
            assert {content.split()[0].decode() for content in files.values()} == {
                manifest["run_id"]
            }
    finally:
        looked.set()
        writer.join()

    assert len(seen) > 1


@pytest.fixture(scope="module")
def before(new_workspace: Callable[[str], Workspace]) -> Workspace:
    """A delivery that is not processed yet."""
    workspace = new_workspace("publication")
    workspace.deliver("1,Ada,Yes\n", "A,1,100,Savings\n")
    return workspace


@pytest.fixture(scope="module")
def undisturbed(
    before: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Workspace, Ended]:
    """A copy in which it is processed, and what that changed on the disk."""
    workspace = Workspace(tmp_path_factory.mktemp("undisturbed") / "now")
    shutil.copytree(before.root, workspace.root)
    ended = run_and_kill(workspace, RUN)
    assert ended.code == 0, ended.text
    return workspace, ended


def exchanged(ended: Ended) -> Iterator[tuple[int, str]]:
    """Number and name of each output that replaced another one."""
    changes = (line for line in ended.lines if line.startswith(CHANGE))
    for number, line in enumerate(changes, start=1):
        path = line.rpartition(" ")[2]
        # The sorted rows become the work file of one of the outputs: no reader sees that.
        is_exchange = ": os.rename " in line and ".sorted." not in path
        if is_exchange and path.startswith("/outputs/"):
            yield number, Path(path).name


def test_all_outputs_are_exchanged_one_right_after_the_other_the_manifest_last(
    undisturbed: tuple[Workspace, Ended],
) -> None:
    workspace, ended = undisturbed

    numbers, works = zip(*exchanged(ended), strict=True)

    # Nothing else is renamed, removed or made between the first and the last of them.
    assert numbers == tuple(range(numbers[0], numbers[0] + 5))
    assert {work[1:].rpartition(".")[0].rpartition(".")[0] for work in works[:4]} == set(
        OUTPUT_FILES
    )
    assert works[-1].startswith(f".{FILE_NAME}.")
    manifest, files = read_as_the_docs_say(workspace.outputs)
    assert list(files) == list(OUTPUT_FILES)
    assert manifest["as_of_date"] == AS_OF.isoformat()


@pytest.mark.parametrize(
    "killed_before",
    [
        pytest.param(0, id="the first", marks=pytest.mark.exhaustive),
        pytest.param(2, id="the third"),
        pytest.param(4, id="the last", marks=pytest.mark.exhaustive),
    ],
)
def test_a_kill_amid_the_exchange_leaves_the_next_run_to_publish(
    before: Workspace,
    undisturbed: tuple[Workspace, Ended],
    tmp_path: Path,
    killed_before: int,
) -> None:
    workspace = Workspace(tmp_path / "now")
    shutil.copytree(before.root, workspace.root)
    good, ended = undisturbed
    number, _ = list(exchanged(ended))[killed_before]

    killed = run_and_kill(workspace, RUN, KillPoint(change=number))
    assert killed.is_killed, killed.text
    # It is built, and was never published.
    assert states(workspace)[AS_OF].is_built

    again = run_and_kill(workspace, RUN)

    assert again.code == 0, again.text
    assert "dbt " not in again.text
    assert workspace.output_bytes() == good.output_bytes()
    assert holds(FolderOutputs(workspace.outputs), states(workspace)[AS_OF].published_sha256)
    assert "nothing to do" in run_and_kill(workspace, RUN).text.replace("\n", " ")


@pytest.mark.parametrize("order", ["account_id", "account_id desc"])
def test_the_summary_is_sorted_for_its_files_only_if_it_is_not_stored_in_order(
    processed_workspace: Workspace, tmp_path: Path, order: str
) -> None:
    warehouse = choose_warehouse(processed_workspace.settings())
    said: list[str] = []
    with warehouse.session():
        assert warehouse.is_stored_in_order("account_summary", "account_id")
        warehouse.fetch(
            "create or replace table account_summary as "
            "select account_summary.* replace (id as account_id) "
            f"from account_summary, (values ('B'), ('C'), ('A')) as ids(id) order by {order}"
        )
        summary = summary_in_order(warehouse, 3, tmp_path / "sorted", said.append)
        assert summary.write_csv(tmp_path / "csv") == 3
        assert summary.write_parquet(tmp_path / "parquet") == 3
        (read,) = warehouse.fetch(
            f"select list(account_id) as ids from read_parquet('{tmp_path / 'parquet'}')"
        )

    written = (tmp_path / "csv").read_text().splitlines()[1:]
    assert [it.split(",")[1] for it in written] == read["ids"] == ["A", "B", "C"]
    assert isinstance(summary, SortedTable) == bool(said) == (order != "account_id")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("('a'), ('b'), ('b ')", True),
        ("('a'), ('a')", False),
        ("('a'), ('c'), ('b')", False),
        ("('a'), (null), ('b')", False),
    ],
)
def test_a_key_grows_from_row_to_row_or_the_table_is_not_in_order(
    workspace: Workspace, keys: str, expected: bool
) -> None:
    warehouse = choose_warehouse(workspace.settings())
    with warehouse.session():
        warehouse.fetch(f"create table stored as from (values {keys}) as given(key)")

        assert warehouse.is_stored_in_order("stored", "key") == expected


@pytest.mark.parametrize(
    "history",
    [
        pytest.param("empty", marks=pytest.mark.exhaustive),
        "foreign",
        pytest.param("pruned", marks=pytest.mark.exhaustive),
    ],
)
def test_the_outputs_do_not_depend_on_dagsters_history(
    undisturbed: tuple[Workspace, Ended], tmp_path: Path, history: str
) -> None:
    workspace = Workspace(tmp_path / "now")
    shutil.copytree(undisturbed[0].root, workspace.root)
    good = workspace.output_bytes()
    assert b"accounted" in good["report.html"]
    settings = workspace.settings(dagster_home=tmp_path / history)
    if history == "pruned":
        shutil.copytree(workspace.root / "dagster", tmp_path / history)
    else:
        shutil.copytree(workspace.settings().dbt_cache, settings.dbt_cache)
    with open_instance(ensure_dagster_home(settings)) as instance:
        for run in instance.get_runs():
            instance.delete_run(run.run_id)
        if history == "foreign":
            _pretend_that_checks_failed(instance)

    shutil.rmtree(workspace.outputs)
    report = run_job(
        settings, PUBLISH_JOB_NAME, (AS_OF, AS_OF), lambda _: None, {FORCE_TAG: "true"}
    )

    assert report.outcome == "success", report.message
    assert workspace.output_bytes() == good


def _pretend_that_checks_failed(instance: dg.DagsterInstance) -> None:
    """Write the history of another pipeline that has assets and checks of the same names."""

    @dg.asset(name="account_summary_daily")
    def asset() -> None: ...

    @dg.asset_check(asset=asset, name="unique_key_account_summary_daily")
    def check() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=False)

    dg.materialize([asset, check], instance=instance)
