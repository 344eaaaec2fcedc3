"""The seeds of the dbt project: reference data that SQL and Python read from the same files."""

import csv
from functools import cache
from pathlib import Path
from typing import Final

import lending_club_pipeline

_SOURCE_TREE: Final = Path(lending_club_pipeline.__file__).parents[2] / "dbt"
_INSTALLED: Final = Path(lending_club_pipeline.__file__).parent / "_dbt"


def project_dir() -> Path:
    """Return the folder of the dbt project: of the source tree, else of the installed package."""
    return _SOURCE_TREE if (_SOURCE_TREE / "dbt_project.yml").exists() else _INSTALLED


@cache
def read_seed(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of a seed in the order of its file; an empty field is an empty text."""
    with (project_dir() / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))
