"""A place in which a test delivers files and runs the real pipeline."""

import datetime as dt
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lending_club_pipeline.config.settings import DataPlatformConfig, load_settings
from lending_club_pipeline.defs.execution import carry_out, process_days
from lending_club_pipeline.defs.intents import FORCE_TAG, NAMED_TAG, PLANNED_TAG
from lending_club_pipeline.runs.outlook import Request, date_of_delivery
from lending_club_pipeline.runs.reports import CommandReport, RunReport
from tests import commands

CUSTOMER_HEADER = "CustomerID,Name,HasLoan\n"
ACCOUNT_HEADER = "AccountID,CustomerID,Balance,AccountType\n"
AS_OF = dt.date(2026, 1, 31)
# Folders below DAGSTER_HOME.
HISTORY = ("history", "schedules")


def process_delivery(
    settings: DataPlatformConfig, as_of: dt.date | None, on_message: Callable[[str], None]
) -> RunReport:
    """Process one delivery from file to file in this process, even if it is unchanged."""
    date = as_of or date_of_delivery(settings, settings.today())
    tags = dict.fromkeys((PLANNED_TAG, FORCE_TAG, NAMED_TAG), "true")
    return process_days(settings, (date, date), on_message, tags)


def copy_history(home: Path, to: Path) -> None:
    """Copy Dagster's history of one home to another one, which has none."""
    for name in HISTORY:
        shutil.copytree(home / name, to / name)


@dataclass
class Workspace:
    """Inputs, outputs, database and run history below one temporary folder.

    Attributes:
        root: the folder.
        no_runs: a home of Dagster without runs, which is quicker to copy than to make; runs in this
            process have their history in memory (`tests/run_histories.py`).
        messages: what runs in this process have said.
    """

    root: Path
    no_runs: Path | None = None
    messages: list[str] = field(default_factory=list)

    @property
    def inputs(self) -> Path:
        return self.root / "inputs"

    @property
    def outputs(self) -> Path:
        return self.root / "outputs"

    @property
    def database(self) -> Path:
        return self.root / "lending_club.duckdb"

    def settings(self, **overrides: object) -> DataPlatformConfig:
        return load_settings(
            {
                "input_path": self.inputs,
                "output_path": self.outputs,
                "duckdb_path": self.database,
                "dagster_home": self.root / "dagster",
                **overrides,
            }
        )

    def keep_history(self) -> None:
        """Have the history of all runs from now on on the disk."""
        if self.no_runs is not None and not (self.root / "dagster" / "history").exists():
            copy_history(self.no_runs, self.root / "dagster")

    def environment(self) -> dict[str, str]:
        """The same settings for a process of its own, which finds the history of later runs."""
        self.keep_history()
        return {**os.environ, **self.variables()}

    def variables(self) -> dict[str, str]:
        """The same settings for a command in this process."""
        return {
            "INPUT_PATH": str(self.inputs),
            "OUTPUT_PATH": str(self.outputs),
            "DUCKDB_PATH": str(self.database),
            "DAGSTER_HOME": str(self.root / "dagster"),
        }

    def deliver(
        self, customers: str | bytes, accounts: str | bytes, as_of: dt.date = AS_OF
    ) -> Path:
        """Put a dated delivery into the inputs; text gets its header, bytes go as they are."""
        folder = self.inputs / as_of.isoformat()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "Customer.csv").write_bytes(_with_header(CUSTOMER_HEADER, customers))
        (folder / "accounts.csv").write_bytes(_with_header(ACCOUNT_HEADER, accounts))
        return folder

    def run(self, as_of: dt.date | None = AS_OF, **overrides: object) -> RunReport:
        """Run the pipeline in this process, as the command line does."""
        return process_delivery(self.settings(**overrides), as_of, self.messages.append)

    def run_range(
        self, first: dt.date, last: dt.date, *, force: bool = False, **overrides: object
    ) -> CommandReport:
        """Process a range of dates in this process, as the command line does."""
        request = Request(first=first, last=last, force=force)
        return carry_out(self.settings(**overrides), request, self.messages.append)

    def command(
        self, *arguments: str, timeout: float = 300, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run `lending-club` in a process of its own."""
        return commands.run(arguments, self.environment() | variables, self.root, timeout)

    def cold_command(
        self, *arguments: str, timeout: float = 300, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run `lending-club` in a process that has imported nothing yet, as people do."""
        return subprocess.run(
            [sys.executable, "-m", "lending_club_pipeline", *arguments],
            env=self.environment() | variables,
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def started(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `lending-club` in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "lending_club_pipeline", *arguments],
            env=self.environment(),
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def output_bytes(self) -> dict[str, bytes]:
        """The published files and their bytes, but for the manifest, which names the run."""
        paths = sorted(self.outputs.glob("*"))
        return {path.name: path.read_bytes() for path in paths if path.name != "manifest.json"}


def _with_header(header: str, body: str | bytes) -> bytes:
    return body if isinstance(body, bytes) else (header + body).encode()
