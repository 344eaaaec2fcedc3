"""Pages of the report, as a parser and as a browser see them."""

from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

from lending_club_pipeline.files.atomic import WrittenFile, describe, replacing
from lending_club_pipeline.publish.report import render_report
from lending_club_pipeline.reconcile.checks import CheckResult
from lending_club_pipeline.reconcile.ledger import newest_publishable_date, read_ledger
from lending_club_pipeline.warehouse import Warehouse
from tests.browser import browse


def write_report(
    warehouse: Warehouse, target: Path, checks: Sequence[CheckResult], currency: str
) -> WrittenFile:
    """Write the report of the newest closed delivery."""
    newest = newest_publishable_date(warehouse)
    ledger = None if newest is None else read_ledger(warehouse, newest)
    assert ledger is not None
    page = render_report(warehouse, ledger, checks, currency)
    with replacing(target) as work:
        work.write_text(page, encoding="utf-8", newline="\n")
    return describe(target)


class Page(HTMLParser):
    """What a browser would see of a page: its table rows, scripts, styles and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.rows: list[list[str]] = []
        self.blocks: dict[str, list[str]] = {"script": [], "style": [], "data": []}
        self.attributes: list[tuple[str, str, str]] = []
        self._cell = False
        self._block = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag == "tr":
            self.rows.append([])
        self._cell = self._cell or tag in ("td", "th")
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag in ("script", "style"):
            self._block = "data" if ("type", "application/json") in attrs else tag
            self.blocks[self._block].append("")

    def handle_endtag(self, tag: str) -> None:
        self._cell = self._cell and tag not in ("td", "th")
        self._block = "" if tag in ("script", "style") else self._block

    def handle_data(self, data: str) -> None:
        if self._block:
            self.blocks[self._block][-1] += data
        elif self._cell:
            self.rows[-1][-1] = " ".join(f"{self.rows[-1][-1]} {data}".split())

    def row(self, *beginning: str) -> list[str]:
        """The only table row that begins with these cells."""
        found = [row for row in self.rows if row[: len(beginning)] == list(beginning)]
        assert len(found) == 1, (beginning, self.rows)
        return found[0]


def dumped(page: Path, folder: Path) -> str:
    """The page as a browser shows it, which has nothing to say about it on its console."""
    document, said = browse(page.as_uri(), folder, 2000, "--allow-file-access-from-files")
    assert "CONSOLE" not in said, said
    return document
