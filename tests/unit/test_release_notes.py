"""A release is made only if its tag, its version and the changelog agree."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
notes = runpy.run_path(str(ROOT / "deploy" / "release" / "notes.py"))["notes"]
CHANGELOG = """# Changelog

## [Unreleased]

- Something.

## [1.2.0] - 2026-11-29

- What is new.

## [1.1.0] - 2026-10-01

- What was new.
"""


def test_the_notes_are_the_entry_of_the_version() -> None:
    assert notes("v1.2.0", "1.2.0", CHANGELOG) == "- What is new."
    assert notes("v1.1.0", "1.1.0", CHANGELOG) == "- What was new."


def test_a_tag_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match=r"The tag v1\.2\.1 is not v1\.2\.0"):
        notes("v1.2.1", "1.2.0", CHANGELOG)


def test_a_version_without_an_entry_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no entry `## \[1\.3\.0\]`"):
        notes("v1.3.0", "1.3.0", CHANGELOG)
