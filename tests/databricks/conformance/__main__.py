"""Runs the public adapter suites against a warehouse and writes the results to the docs."""

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

from tests.databricks.conformance.reasons import REASONS
from tests.databricks.warehouse import SqlWarehouse

_HERE: Final = Path(__file__).parent
_ROOT: Final = Path(__file__).parents[3]
_PAGE: Final = _ROOT / "docs" / "conformance.md"
_SUITES: Final = ("basic", "further", "utils")

_HEAD: Final = """\
# Conformance of the SQL warehouse stand-in

`make conformance` runs the public suite of dbt's adapters (`dbt-tests-adapter` {suite}) with
`dbt-databricks` {adapter} against the [stand-in](../tests/databricks/README.md) and writes this
page. The suites are taken as they are; what they expect is written for PostgreSQL, and the authors
of an adapter change it where their engine differs. A failure therefore has a reason beside it.

| suite | passed | failed |
|---|---|---|
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
    """Run the suites named on the command line, or all."""
    suites = sys.argv[1:] or list(_SUITES)
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        warehouse = SqlWarehouse(Path(folder))
        try:
            outcomes = [o for suite in suites for o in _run(suite, warehouse, Path(folder))]
        finally:
            warehouse.stop()
    if suites == list(_SUITES):
        _PAGE.write_text(_page(outcomes))
    sys.stdout.write(_page(outcomes))
    unexplained = [o.name for o in outcomes if not o.passed and _reason(o) is None]
    return 1 if unexplained else 0


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


def _page(outcomes: list[Outcome]) -> str:
    text = _HEAD.format(suite=version("dbt-tests-adapter"), adapter=version("dbt-databricks"))
    for suite in dict.fromkeys(outcome.suite for outcome in outcomes):
        counts = Counter(outcome.passed for outcome in outcomes if outcome.suite == suite)
        text += f"| {suite} | {counts[True]} | {counts[False]} |\n"
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
