"""The stand-in's own tests run when anything changed that they depend on, and not otherwise."""

import shutil
from pathlib import Path

import pytest

from tests import stand_in_tests
from tests.stand_in_tests import NAME, PYTHON, Package, run_tests

_LOCK = f"""
version = 1

[[package]]
name = "{NAME}"
version = "0.1.0"
dependencies = [{{ name = "engine" }}]

[package.dev-dependencies]
dev = [{{ name = "checker" }}]

[[package]]
name = "engine"
version = "4.2.0"
dependencies = [{{ name = "bridge" }}]

[[package]]
name = "bridge"
version = "0.10.9"

[[package]]
name = "checker"
version = "8.3"

[[package]]
name = "other"
version = "1.0"
"""
# It says that it ran, and passes or fails as it is told.
_TEST = """
from pathlib import Path


def test_it():
    with (Path(__file__).parents[1] / "ran").open("a") as ran:
        ran.write("x")
    assert True
"""


@pytest.fixture
def package(tmp_path: Path) -> Package:
    """A checkout with a small package in the stand-in's place."""
    package = Package(tmp_path)
    for name, text in {
        "pyproject.toml": "[tool.pytest.ini_options]\ntestpaths = ['tests']\n",
        "README.md": "",
        "src/server.py": "PORT = 1\n",
        "tests/test_it.py": _TEST,
    }.items():
        (package.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (package.folder / name).write_text(text)
    (tmp_path / "uv.lock").write_text(_LOCK)
    return package


@pytest.mark.parametrize("name", ["pyproject.toml", "src/server.py", "src/new.sql", "tests/new.py"])
def test_a_changed_or_new_file_has_not_passed(package: Package, name: str) -> None:
    package.note(package.digest())
    assert package.passed_on(package.digest()) == [PYTHON]

    with (package.folder / name).open("a") as file:
        file.write("\n")

    assert package.passed_on(package.digest()) == []


def test_a_file_that_is_gone_or_renamed_has_not_passed(package: Package) -> None:
    package.note(package.digest())

    shutil.move(package.folder / "src/server.py", package.folder / "src/served.py")

    assert package.passed_on(package.digest()) == []


@pytest.mark.parametrize("version", ["4.2.0", "0.10.9", "8.3"])
def test_another_version_of_what_it_needs_has_not_passed(package: Package, version: str) -> None:
    package.note(package.digest())

    (package.root / "uv.lock").write_text(_LOCK.replace(f'"{version}"', '"99.0"'))

    assert package.passed_on(package.digest()) == []


def test_what_its_tests_do_not_depend_on_changes_nothing(package: Package) -> None:
    package.note(package.digest())

    (package.folder / "README.md").write_text("Another word.\n")
    (package.root / "uv.lock").write_text(_LOCK.replace('"1.0"', '"99.0"'))

    assert package.passed_on(package.digest()) == [PYTHON]


def test_each_python_has_to_pass(package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = package.digest()
    package.note(digest)
    monkeypatch.setattr(stand_in_tests, "PYTHON", "3.99")
    package.note(digest)

    assert package.passed_on(digest) == sorted([PYTHON, "3.99"])

    package.note("another digest")

    assert package.passed_on("another digest") == ["3.99"]
    assert package.passed_on(digest) == []


def test_tests_run_until_they_pass_and_then_only_after_a_change(
    package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "--deselect tests/test_it.py::test_it")
    ran, test = package.folder / "ran", package.folder / "tests" / "test_it.py"
    test.write_text(_TEST.replace("assert True", "assert False"))

    assert run_tests(package.root, always=False) == 1
    assert ran.read_text() == "x"

    test.write_text(_TEST)

    assert [run_tests(package.root, always=False) for _ in range(2)] == [0, 0]
    assert ran.read_text() == "xx"

    assert run_tests(package.root, always=True) == 0
    assert ran.read_text() == "xxx"


def test_the_lock_file_names_all_that_it_needs() -> None:
    locked = stand_in_tests.tomllib.loads((stand_in_tests.ROOT / "uv.lock").read_text())["package"]
    names = {it.split()[0] for it in stand_in_tests.needed(locked)}

    assert {"pyspark", "py4j", "thrift", "databricks-sql-connector", "dbt-core", "pytest"} <= names
    assert not {"duckdb", "dagster", "lending-club-pipeline"} & names
