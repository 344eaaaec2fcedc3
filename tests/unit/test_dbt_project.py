"""The dbt project is laid out in one way, and says what its columns are and which are personal."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from lending_club_pipeline.contract.changes import change_kinds
from lending_club_pipeline.contract.seeds import project_dir
from lending_club_pipeline.contract.stages import equation, main_branch_first, stages

MODELS = sorted((project_dir() / "models").rglob("*.sql"))
YAML_FILES = sorted(
    path
    for folder in ("models", "seeds", "tests")
    for path in (project_dir() / folder).rglob("*.yml")
)
DISPATCHED = sorted((project_dir() / "macros" / "cross_db").glob("*.sql"))
# Columns that hold names or the text of a record.
PERSONAL = {"name", "raw_record", "approved_by"}


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


@pytest.mark.parametrize("model", MODELS, ids=lambda path: path.stem)
def test_a_model_has_its_description_columns_and_unit_tests_beside_it(model: Path) -> None:
    content = read(model.with_suffix(".yml"))

    (described,) = content["models"]
    assert described["name"] == model.stem
    assert "Grain: one row per" in described["description"]
    assert all(column["description"].strip() for column in described["columns"])
    assert {it["model"] for it in content["unit_tests"]} == {model.stem}


@pytest.mark.parametrize("path", YAML_FILES, ids=lambda path: path.name)
def test_a_yaml_file_has_no_version(path: Path) -> None:
    assert "version" not in read(path)


@pytest.mark.parametrize("path", YAML_FILES, ids=lambda path: path.name)
def test_columns_with_personal_data_are_tagged(path: Path) -> None:
    content = read(path)
    tables = [table for source in content.get("sources", ()) for table in source["tables"]]
    for described in (*content.get("models", ()), *tables):
        for column in described.get("columns", ()):
            is_tagged = "personal_data" in column.get("config", {}).get("tags", ())
            assert is_tagged == (column["name"] in PERSONAL), (described["name"], column["name"])


@pytest.mark.parametrize("path", DISPATCHED, ids=lambda path: path.stem)
def test_an_engine_differs_in_one_macro_a_file(path: Path) -> None:
    macros = re.findall(r"{% macro (\w+)\(", path.read_text(encoding="utf-8"))

    assert macros == [path.stem, f"duckdb__{path.stem}", f"databricks__{path.stem}"]


def test_only_these_macros_are_dispatched() -> None:
    macros = (project_dir() / "macros").rglob("*.sql")
    dispatched = {path for path in macros if "adapter.dispatch" in path.read_text(encoding="utf-8")}

    assert dispatched == set(DISPATCHED)


def test_kinds_of_change_are_those_of_the_seed_in_its_order() -> None:
    macro = project_dir() / "macros" / "rules" / "account_change_kinds.sql"

    kinds = re.findall(r"^ {8}'(\w+)':", macro.read_text(encoding="utf-8"), re.MULTILINE)

    assert kinds == list(change_kinds())


def test_stages_of_the_ledger_are_a_tree() -> None:
    assert equation("accounts.csv", "joined") == "joined = not_savings + published"
    for source_file, of_file in stages().items():
        assert of_file[0].name == "records"
        assert sorted(of_file, key=str) == sorted(main_branch_first(source_file), key=str)
    drawn = [(it.depth, it.name) for it in main_branch_first("accounts.csv")]
    assert drawn[:6] == [
        *((0, "records"), (1, "landed"), (2, "cleaned"), (3, "joined"), (4, "published")),
        (4, "not_savings"),
    ]
