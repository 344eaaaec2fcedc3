"""README and docs say what is true."""

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from lending_club_pipeline.cli import cli
from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.reasons import reasons

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("packages/*/*.md")])
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~\[ ]", requirement)[0] for requirement in requirements}


def test_every_setting_stands_in_the_example_and_nothing_else() -> None:
    text = (ROOT / ".env.example").read_text()
    listed = set(re.findall(r"^(?:# )?([A-Z][A-Z_]+)=", text, re.MULTILINE))

    assert listed == {*DataPlatformConfig.variables()} | {"SECRETS_DIR"}


def test_defaults_in_the_example_are_the_defaults() -> None:
    text = (ROOT / ".env.example").read_text()
    fields = DataPlatformConfig.variables()
    for name, value in re.findall(r"^([A-Z][A-Z_]+)=(.*)$", text, re.MULTILINE):
        default = fields[name].default
        assert TypeAdapter(type(default)).validate_python(value) == default, name


def test_every_dependency_is_documented_with_its_licence() -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text()
    documented = set(re.findall(r"^\| ([a-z0-9-]+) \|.*\| [A-Z][\w.+ -]+ \|$", page, re.MULTILINE))
    used = set()
    for file in (ROOT / "pyproject.toml", *ROOT.glob("packages/*/pyproject.toml")):
        content = tomllib.loads(file.read_text())
        project, groups = content["project"], content["dependency-groups"]
        for listed in (*project["optional-dependencies"].values(), *groups.values()):
            used |= names(listed)
        used |= names(project["dependencies"])

    assert documented == used - PROJECT["tool"]["uv"]["sources"].keys()


def test_every_reason_is_documented() -> None:
    page = (ROOT / "docs" / "data-model.md").read_text()

    assert set(
        re.findall(r"`((?:record|customer|account|balance|has)_\w+|conflicting_\w+)` \|", page)
    ) >= set(reasons())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_uv_is_found_where_make_has_put_it(page: Path) -> None:
    for start in re.findall(r"^(.*)\buv sync", page.read_text(), re.MULTILINE):
        assert ".tools/bin" in start, page.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_of_the_docs_exist(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    text = page.read_text()
    for target in re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for command in re.findall(r"(?<!-n )(?<!install )lending-club ([a-z][a-z-]*)", text):
        assert command in cli.commands, command


def test_every_make_target_is_explained() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    for target in phony[1].split():
        assert re.search(rf"^{target}:.*## ", makefile, re.MULTILINE), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_that_the_docs_name_exist(page: Path) -> None:
    roots = "src|dbt|tests|bench|docs|packages|data/inputs"
    for path in re.findall(rf"`((?:{roots})/[\w./-]+)`", page.read_text()):
        assert (ROOT / path).exists() or (page.parent / path).exists(), path


def test_what_the_commands_make_is_no_change_to_commit() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()

    assert {".venv/", ".tools/", ".dagster/", "data/outputs/", "data/landing/"} <= set(ignored)


def test_make_leaves_settings_to_the_environment_and_env_file() -> None:
    exported = re.findall(r"^export (\w+)", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert not {*exported} & DataPlatformConfig.variables().keys()
