"""What is installed is all that a run needs."""

import tomllib
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_an_installed_package_brings_the_whole_dbt_project() -> None:
    included = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    sources = {
        path.name
        for path in (ROOT / "dbt").iterdir()
        if not path.name.startswith(".") and path.name not in ("target", "logs")
    }

    assert included == {
        f"dbt/{name}": f"lending_club_pipeline/_dbt/{name}" for name in sorted(sources)
    }


def test_an_installed_package_brings_our_adapter_where_dbt_looks_for_it() -> None:
    packages = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]

    assert set(packages) == {
        f"src/{path.name}" for path in (ROOT / "src").iterdir() if path.is_dir()
    }


def test_no_package_of_the_workspace_is_installed_with_the_pipeline() -> None:
    members = {path.parent.name for path in (ROOT / "packages").glob("*/pyproject.toml")}
    project = PROJECT["project"]
    required = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    in_image = (ROOT / ".dockerignore").read_text().splitlines()

    assert members == set(PROJECT["tool"]["uv"]["sources"])
    assert not [it for it in required if it.startswith(tuple(members))]
    # Of the checkout, the image is made of these alone.
    assert in_image[1] == "*"
    assert not [line for line in in_image if line.startswith("!") and "packages" in line]
