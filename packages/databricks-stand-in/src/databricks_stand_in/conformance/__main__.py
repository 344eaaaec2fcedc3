"""Runs the public adapter suites against a warehouse and writes a page of the results.

`python -m databricks_stand_in.conformance [--page FILE] [SUITE ...]`
"""

import argparse
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from databricks_stand_in.conformance.reasons import REASONS
from databricks_stand_in.warehouse import SqlWarehouse

_HERE: Final = Path(__file__).parent
_SUITES: Final = ("basic", "utils", "further")
# The last one takes as long as both others; it runs when it is named.
_BY_DEFAULT: Final = _SUITES[:2]

_HEAD: Final = """\
# Conformance of the SQL warehouse stand-in

`python -m databricks_stand_in.conformance` runs the public suite of dbt's adapters
(`dbt-tests-adapter` {suite}) with `dbt-databricks` {adapter} against the stand-in and writes this
page. The suites are taken as they are; what they expect is written for PostgreSQL, and the authors
of an adapter change it where their engine differs. A failure therefore has a reason beside it.
"""


@dataclass(frozen=True)
class Outcome:
    """What came of a test.

    Attributes:
        suite: basic, further or utils.
        name: class and function.
        passed: whether it passed; a skipped one is left out.
        message: first line of the failure.
    """

    suite: str
    name: str
    passed: bool
    message: str


def main() -> int:
    """Run the suites named on the command line, and write their part of the page."""
    arguments = _arguments()
    suites, page = arguments.suites or _BY_DEFAULT, arguments.page
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        warehouse = SqlWarehouse(Path(folder))
        try:
            outcomes = {suite: list(_run(suite, warehouse, Path(folder))) for suite in suites}
        finally:
            warehouse.stop()
    sections = _sections(page) | {
        suite: _section(suite, found) for suite, found in outcomes.items()
    }
    head = _HEAD.format(suite=version("dbt-tests-adapter"), adapter=version("dbt-databricks"))
    page.write_text(head + "".join(sections[suite] for suite in _SUITES if suite in sections))
    failed = [o for found in outcomes.values() for o in found if not o.passed]
    for outcome in failed:
        sys.stdout.write(f"{outcome.name}: {_reason(outcome) or outcome.message[:2000]}\n")
    sys.stdout.write(f"{page} is written\n")
    return 1 if any(_reason(outcome) is None for outcome in failed) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run dbt's adapter suites against the stand-in.")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"of {', '.join(_SUITES)}")
    parser.add_argument("--page", type=Path, default=Path("conformance.md"))
    arguments = parser.parse_args()
    if unknown := set(arguments.suites) - set(_SUITES):
        parser.error(f"there is no suite {', '.join(sorted(unknown))}")
    return arguments


def _sections(page: Path) -> dict[str, str]:
    """Return the parts of the page as it is."""
    if not page.exists():
        return {}
    parts = page.read_text().split("\n## ")[1:]
    return {part.split(":")[0]: f"\n## {part.rstrip()}\n" for part in parts}


def _run(suite: str, warehouse: SqlWarehouse, folder: Path) -> Iterator[Outcome]:
    report = folder / f"{suite}.xml"
    certificates = {"REQUESTS_CA_BUNDLE": warehouse.environment["DATABRICKS_CA_FILE"]}
    command = [
        *(sys.executable, "-m", "pytest", str(_HERE / f"suite_{suite}.py")),
        *("-p", "dbt.tests.fixtures.project", "-p", "no:randomly", "-p", "no:cacheprovider"),
        *("-c", os.devnull, "--rootdir", str(_HERE), "--confcutdir", str(_HERE)),
        *("-o", "python_files=suite_*.py", "--import-mode", "importlib", "-q", "--tb=short"),
        *("--junitxml", str(report), "--basetemp", str(folder / f"pytest-{suite}")),
    ]
    environment = os.environ | warehouse.environment | certificates
    subprocess.run(command, cwd=folder, env=environment, check=False)
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - our own file
        problem = next((child for child in case if child.tag in {"failure", "error"}), None)
        if any(child.tag == "skipped" for child in case):
            continue
        name = f"{case.get('classname', '').split('.')[-1]}.{case.get('name')}"
        message = "" if problem is None else (problem.get("message") or "").strip()
        yield Outcome(suite, name, problem is None, message)


def _reason(outcome: Outcome) -> str | None:
    return REASONS.get(outcome.name.split(".")[0])


def _section(suite: str, outcomes: list[Outcome]) -> str:
    counts = Counter(outcome.passed for outcome in outcomes)
    text = f"\n## {suite}: {counts[True]} passed, {counts[False]} failed\n"
    text += "\n| test | result | reason |\n|---|---|---|\n"
    for outcome in outcomes:
        result = "passed" if outcome.passed else "failed"
        reason = "" if outcome.passed else _reason(outcome) or _first_line(outcome.message)
        text += f"| {outcome.name} | {result} | {reason} |\n"
    return text


def _first_line(message: str) -> str:
    line = message.splitlines()[0] if message else "no message"
    return f"not explained yet: `{line[:150].replace('|', ' ').replace('`', '')}`"


if __name__ == "__main__":
    sys.exit(main())
