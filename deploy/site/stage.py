"""Put the pages of the site into one folder: those of docs/, and those of the repository's root.

The README is the first page. A link to any other file of the repository leads to a copy of it.
"""

import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
_LINK = re.compile(r"(\]\(|(?:src|srcset)=\")(?!https?:|#|mailto:)([^)#\"]+)")


def stage(target: Path) -> None:
    """Fill the folder `target`; what was in it is removed."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(DOCS, target)
    for page in [*(ROOT / name for name in PAGES), *DOCS.rglob("*.md")]:
        name = PAGES.get(page.name) or str(page.relative_to(DOCS))
        (target / name).write_text(_with_links(page, target))


def _with_links(page: Path, target: Path) -> str:
    def moved(match: re.Match[str]) -> str:
        return match[1] + _place(page, match[2], target)

    return _LINK.sub(moved, page.read_text())


def _place(page: Path, link: str, target: Path) -> str:
    """Return where the site has what a link leads to; a dead link stays, for the build to find."""
    linked = (page.parent / link).resolve()
    if linked.parent == ROOT and linked.name in PAGES:
        return PAGES[linked.name]
    if linked.is_relative_to(DOCS):
        return str(linked.relative_to(DOCS))
    if not linked.is_file():
        return link
    # A name that begins with a dot would be left out of the site.
    copy = target / "files" / str(linked.relative_to(ROOT)).lstrip(".")
    if copy.suffix == ".md":
        # It is shown as it is: its own links lead elsewhere.
        copy = copy.with_suffix(".md.txt")
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(linked, copy)
    return str(copy.relative_to(target))


if __name__ == "__main__":
    stage(Path(sys.argv[1]))
