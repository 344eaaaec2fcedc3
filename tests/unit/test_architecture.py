"""One way through: what comes later imports what comes earlier, never the other way round."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import lending_club_pipeline

PACKAGE = Path(lending_club_pipeline.__file__).parent
NAME = PACKAGE.name
# Each room with the rooms of the package that it may know, beside itself.
FLOOR = {"contract", "secret_stores", "config", "files", "storage"}
MAY_KNOW = {
    "contract": set(),
    "secret_stores": {"contract"},
    "config": {"contract", "secret_stores"},
    "files": {"contract"},
    "storage": {"contract", "config", "files"},
    "ingest": FLOOR,
    "warehouse": {*FLOOR, "ingest"},
    "dbt_runner": FLOOR,
    "reconcile": {*FLOOR, "warehouse"},
    "publish": {*FLOOR, "warehouse", "reconcile"},
    "runs": {*FLOOR, "ingest", "warehouse", "dbt_runner", "reconcile", "publish"},
    "operating": {*FLOOR, "runs"},
    "explanations": {*FLOOR, "ingest", "warehouse", "reconcile"},
    "present": {*FLOOR, "reconcile", "explanations", "runs", "operating", "parity", "defs"},
    "synthetic": {*FLOOR, "ingest"},
    "parity": {*FLOOR, "ingest", "warehouse", "reconcile", "dbt_runner", "publish"},
    "defs": {*FLOOR, "ingest", "warehouse", "dbt_runner", "reconcile", "publish", "runs"}
    | {"operating"},
    "cli": {*FLOOR, "ingest", "warehouse", "explanations", "present", "publish", "reconcile"}
    | {"runs", "synthetic", "parity", "operating", "defs"},
}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("room", MAY_KNOW)
def test_no_room_calls_back_into_an_earlier_one(room: str) -> None:
    known = {
        parts[1]
        for path in (PACKAGE / room).rglob("*.py")
        for name in imported(path)
        if (parts := name.split("."))[0] == NAME and len(parts) > 1
    }

    assert known & MAY_KNOW.keys() <= MAY_KNOW[room] | {room}


def test_every_room_is_looked_at() -> None:
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == set(MAY_KNOW)


def test_only_defs_and_the_entry_point_of_dagster_import_it() -> None:
    importing = {
        path.relative_to(PACKAGE).parts[0]
        for path in PACKAGE.rglob("*.py")
        if any(name.split(".")[0].startswith("dagster") for name in imported(path))
    }

    assert importing == {"defs", "definitions.py"}


def test_the_stand_in_knows_nothing_of_the_pipeline_nor_the_pipeline_of_it() -> None:
    stand_in = Path(__file__).parents[2] / "packages" / "databricks-stand-in"
    known = {name.split(".")[0] for path in stand_in.rglob("*.py") for name in imported(path)}
    used = {name.split(".")[0] for path in PACKAGE.rglob("*.py") for name in imported(path)}

    assert "databricks_stand_in" in known
    assert not known & {NAME, "tests", "bench"}
    assert "databricks_stand_in" not in used


def test_the_environment_is_read_where_settings_are() -> None:
    reading = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if "os.environ.get" in path.read_text() or "os.getenv" in path.read_text()
    }

    assert reading <= {
        "config/settings.py",
        "config/environment.py",
        # The region that AWS itself sets in its services, which its client does not read.
        "secret_stores/aws.py",
    }


def test_settings_are_loaded_where_a_process_begins_and_handed_down_from_there() -> None:
    loading = {
        path.relative_to(PACKAGE)
        for path in PACKAGE.rglob("*.py")
        if "lending_club_pipeline.config.settings" in imported(path)
        and "load_settings(" in path.read_text()
    }

    assert {str(path) for path in loading if path.parts[0] != "cli"} == {
        "definitions.py",
        # It says what is wrong with them.
        "runs/doctor.py",
    }
