"""What is installed is all that a run needs."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_an_installed_package_brings_the_whole_dbt_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    sources = {
        path.name
        for path in (ROOT / "dbt").iterdir()
        if not path.name.startswith(".") and path.name not in ("target", "logs")
    }

    assert included == {
        f"dbt/{name}": f"lending_club_pipeline/_dbt/{name}" for name in sorted(sources)
    }


def test_an_installed_package_brings_our_adapter_where_dbt_looks_for_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]

    assert set(packages) == {
        f"src/{path.name}" for path in (ROOT / "src").iterdir() if path.is_dir()
    }
