"""Regular expressions say the same on every Python that the project supports."""

import re
from pathlib import Path

import lending_club_pipeline

# A possessive group that is not atomic inside: Python before 3.11.5 matches too much with it
# (https://github.com/python/cpython/issues/106052).
_POSSESSIVE_GROUP = re.compile(r"(?<!\))\)(?:[*+?]|\{[\d,]+\})\+")


def test_a_possessive_group_is_atomic_inside() -> None:
    assert _POSSESSIVE_GROUP.search("(?:ab?c)*+")
    assert not _POSSESSIVE_GROUP.search("(?:(?>ab?c))*+")

    found = {
        str(path): _POSSESSIVE_GROUP.findall(path.read_text())
        for path in Path(lending_club_pipeline.__file__).parent.rglob("*.py")
    }
    assert {path: groups for path, groups in found.items() if groups} == {}
