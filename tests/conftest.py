"""Fixtures that every test may use: workspaces in temporary folders, real engines."""

import atexit
import gc
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from databricks_stand_in.workers import folder_of_all_workers, only_one
from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.dbt_runner import manifest
from lending_club_pipeline.defs import instance
from lending_club_pipeline.defs.instance import ensure_dagster_home, open_instance
from lending_club_pipeline.secret_stores.reading import forget_secrets
from tests.faults.landings import ACCOUNTS, CUSTOMERS
from tests.projects import copy_project, parse_only_changes
from tests.run_histories import in_memory
from tests.workspaces import HISTORY, Workspace, copy_history

pytest_plugins = ["databricks_stand_in.fixtures"]

ROOT = Path(__file__).parent
# Files that take long, the longest first: begun last, one of them would go on alone.
_LONGEST = (
    "databricks/test_interrupted_runs.py",
    "databricks/test_parity.py",
    "databricks/test_parity_command.py",
    "faults/test_kills_at_random_moments.py",
    "faults/test_random_histories.py",
    "pipeline/test_entry_points.py",
    "databricks/test_leases.py",
    "databricks/test_macros.py",
    "pipeline/test_command_line.py",
    "faults/test_other_machines.py",
    "pipeline/test_backfills.py",
    "pipeline/test_report.py",
    "faults/test_interruptions.py",
    "databricks/test_serving_table.py",
    "pipeline/test_publication.py",
    "faults/test_personal_data.py",
    "pipeline/test_movement_gate.py",
    "pipeline/test_histories.py",
    "pipeline/test_unchanged_deliveries.py",
    "faults/test_broken_project.py",
    "faults/test_disks.py",
    "pipeline/test_rate_changes.py",
    "pipeline/test_foreign_settings.py",
    "faults/test_databases.py",
    "pipeline/test_older_states.py",
    "databricks/test_other_machines.py",
)

# Markers with an option each, without which tests of it are left out.
_OPTIONS = ("docker", "kubernetes", "exhaustive", "operations")
# Variables of the developer's shell must not decide what a test does.
_SETTINGS = [*DataPlatformConfig.variables(), "SECRETS_DIR"]


def pytest_configure() -> None:
    """Look for no garbage among what is imported, and later less often than Python does."""
    gc.disable()
    gc.set_threshold(100_000, 20, 20)
    # Python takes apart at the end what was kept: DuckDB would list all of it as leaked. Not
    # earlier, as pytest looks for garbage several times when it ends.
    atexit.register(gc.unfreeze)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that `make test-all` and `make test-compose` give."""
    for needed in ("docker", "kubernetes"):
        only = f"run the tests that need {needed} alone"
        parser.addoption(f"--{needed}", action="store_true", help=only)
    parser.addoption(
        "--exhaustive",
        action="store_true",
        help="also run the exhaustive tests, which take minutes",
    )
    parser.addoption(
        "--operations",
        action="store_true",
        help="run tests too that start servers of other projects and runs beside them",
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import no file of tests that are all left out, unless it was named: imports take long."""
    named = {config.invocation_params.dir / it.partition("::")[0] for it in config.args}
    if collection_path.suffix != ".py" or collection_path in named:
        return None
    of_all = re.search(
        r"^pytestmark = pytest\.mark\.(\w+)$", collection_path.read_text(), re.MULTILINE
    )
    is_left_out = of_all is not None and of_all[1] in _OPTIONS and not config.getoption(of_all[1])
    return True if is_left_out else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes longest; all else stays in its random order."""
    kept, left_out = [], []
    for item in items:
        is_asked_for = all(
            bool(item.get_closest_marker(needed)) == config.getoption(needed)
            for needed in ("docker", "kubernetes")
        )
        is_too_long = any(
            item.get_closest_marker(marker) and not config.getoption(marker)
            for marker in ("exhaustive", "operations")
        )
        (kept if is_asked_for and not is_too_long else left_out).append(item)
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept
    places = {ROOT / name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def pytest_collection_finish() -> None:
    """What is imported by now stays."""
    gc.freeze()
    gc.enable()


def pytest_xdist_auto_num_workers() -> int:
    """Two more than there are cores, as tests often wait for a disk or another process."""
    return (os.cpu_count() or 1) + 2


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in _SETTINGS:
        monkeypatch.delenv(name, raising=False)
    # Away from the checkout, whose `.env` and `data/` are the developer's.
    monkeypatch.chdir(tmp_path)
    # A secret that was read stays in memory for ten minutes.
    forget_secrets()


@pytest.fixture(scope="session", autouse=True)
def _histories_in_memory() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(instance, "open_instance", in_memory(open_instance))
        yield


@pytest.fixture(scope="session")
def good_run(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The one good run of all workers, of the first one that wants it: copy it, never change it."""
    shared = folder_of_all_workers(tmp_path_factory)
    workspace, done = Workspace(shared / "good-run"), shared / "good-run.done"
    with only_one(shared / "good-run.lock"):
        if not done.exists():
            shutil.rmtree(workspace.root, ignore_errors=True)
            workspace.deliver(CUSTOMERS, ACCOUNTS)
            with open_instance(ensure_dagster_home(workspace.settings())):
                pass
            copy_history(workspace.root / "dagster", shared / "no-runs")
            _process(workspace)
            done.touch()
    return workspace


def _process(workspace: Workspace) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name in _SETTINGS:
            patch.delenv(name, raising=False)
        for name, value in workspace.environment().items():
            patch.setenv(name, value)
        patch.chdir(workspace.root)
        report = workspace.run()
    assert report.outcome == "success", report.message


@pytest.fixture
def processed_workspace(good_run: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the good run: a place in which the delivery of `AS_OF` was processed."""
    workspace = Workspace(tmp_path / "workspace", no_runs=_no_runs(good_run))
    shutil.copytree(good_run.root, workspace.root, ignore=shutil.ignore_patterns(*HISTORY))
    return workspace


def _no_runs(good_run: Workspace) -> Path:
    return good_run.root.with_name("no-runs")


@pytest.fixture(scope="session")
def prepared_dbt(good_run: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the parsed dbt project, and of what follows from the project alone."""
    own = tmp_path_factory.mktemp("prepared") / "dbt"
    shutil.copytree(good_run.settings().dbt_cache, own)
    return own


@pytest.fixture(scope="session")
def prepare_workspace(good_run: Workspace) -> Callable[[Path], Workspace]:
    """Make a workspace in a folder, with a parsed project and an empty history of Dagster.

    A first run takes twice as long without; tests of such a run make a `Workspace` of their own.
    """

    def prepare(root: Path) -> Workspace:
        workspace = Workspace(root, no_runs=_no_runs(good_run))
        shutil.copytree(good_run.settings().dbt_cache, workspace.settings().dbt_cache)
        return workspace

    return prepare


@pytest.fixture(scope="session")
def new_workspace(
    tmp_path_factory: pytest.TempPathFactory, prepare_workspace: Callable[[Path], Workspace]
) -> Callable[[str], Workspace]:
    """Make a workspace for all tests of a file."""
    return lambda name: prepare_workspace(tmp_path_factory.mktemp(name))


@pytest.fixture
def make_workspace(
    tmp_path: Path, prepare_workspace: Callable[[Path], Workspace]
) -> Callable[[str], Workspace]:
    """Make a further workspace of a name."""
    return lambda name: prepare_workspace(tmp_path / name)


@pytest.fixture
def workspace(make_workspace: Callable[[str], Workspace]) -> Workspace:
    """A place with inputs, outputs and a database of its own."""
    return make_workspace("workspace")


@pytest.fixture
def project(good_run: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the dbt project to change, which runs use instead of the real one."""
    copy = copy_project(tmp_path / "project")
    monkeypatch.setattr(manifest, "project_dir", lambda: copy)
    parse_only_changes(good_run, monkeypatch)
    return copy


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)
