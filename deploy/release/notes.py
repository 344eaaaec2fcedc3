"""Print what the changelog says of a version, if the tag, pyproject.toml and changelog agree."""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def notes(tag: str, version: str, changelog: str) -> str:
    """Return the section of the changelog for a version.

    Args:
        tag: name of the tag, such as `v1.2.0`.
        version: version of the package.
        changelog: text of the changelog.

    Raises:
        ValueError: the tag names another version, or the changelog has no entry for it.
    """
    if tag != f"v{version}":
        raise ValueError(f"The tag {tag} is not v{version}, the version in pyproject.toml.")
    found = re.search(
        rf"^## \[{re.escape(version)}\][^\n]*\n(.*?)(?=^## \[|\Z)",
        changelog,
        re.DOTALL | re.MULTILINE,
    )
    if found is None or not found[1].strip():
        raise ValueError(f"CHANGELOG.md has no entry `## [{version}]`. Write it, and tag again.")
    return found[1].strip()


if __name__ == "__main__":
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    try:
        print(notes(sys.argv[1], project["version"], (ROOT / "CHANGELOG.md").read_text()))  # noqa: T201 - its purpose
    except ValueError as error:
        sys.exit(str(error))
