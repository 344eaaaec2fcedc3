"""Every measurement with its unit and meaning.

The exporter makes instruments from these; docs/operations.md and the dashboards quote them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

# Prometheus puts the unit behind the name; units are those of UCUM, as OpenTelemetry asks.
_SUFFIXES: Final = {"s": "_seconds", "By": "_bytes"}


@dataclass(frozen=True)
class Measurement:
    """A measurement.

    Attributes:
        name: its name in OpenTelemetry.
        unit: its unit by UCUM; the name of the counted things stands in braces.
        labels: names of its labels.
        meaning: meaning of a value.
        bad: a bad value, and its meaning.
    """

    name: str
    unit: str
    labels: tuple[str, ...]
    meaning: str
    bad: str

    @property
    def prometheus_name(self) -> str:
        """Its name in Prometheus."""
        return self.name.replace(".", "_") + _SUFFIXES.get(self.unit, "")


@dataclass(frozen=True)
class Sample:
    """One value of a measurement.

    Attributes:
        measurement: the measurement it belongs to.
        value: in its unit.
        labels: values of its labels.
    """

    measurement: Measurement
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


ROWS: Final = Measurement(
    "lending_club.asset.rows",
    "{row}",
    ("asset", "layer"),
    "Rows of a table or file when it was made last",
    "0, or far from the day before: something is missing",
)
SIZE: Final = Measurement(
    "lending_club.asset.size",
    "By",
    ("asset", "layer"),
    "Size of a published file",
    "Twice the median of a week: `OutputGrows`",
)
NODE_DURATION: Final = Measurement(
    "lending_club.asset.duration",
    "s",
    ("asset", "layer"),
    "Time that dbt took to build a table, or that it took to write a file, the last time",
    "Growing from week to week",
)
ASSET_AGE: Final = Measurement(
    "lending_club.asset.age",
    "s",
    ("asset", "layer"),
    "Time since a table or file was made last",
    "Older than a day, if one delivery a day is expected",
)
PUBLICATION_AGE: Final = Measurement(
    "lending_club.publication.age",
    "s",
    (),
    "Time since the outputs were published last",
    "Older than the time between two deliveries",
)
PUBLISHED_MONEY: Final = Measurement(
    "lending_club.published.money",
    "{dollar}",
    ("measure",),
    "Sum over the published accounts; the ledger holds it to the cent",
    "Far from the day before; see `MOVEMENT_LIMITS`",
)
QUARANTINE: Final = Measurement(
    "lending_club.quarantine.records",
    "{record}",
    ("source_file", "reason"),
    "Records of the published delivery that are not used, by reason",
    "A reason that jumps: the sender changed something",
)
CHECK: Final = Measurement(
    "lending_club.check.passed",
    "{check}",
    ("asset", "check", "severity"),
    "1 if a check passed when it ran last, 0 if it failed",
    "0: `CheckFailed`",
)
PASSED_RATIO: Final = Measurement(
    "lending_club.checks.passed_ratio",
    "1",
    (),
    "Share of the checks that passed when they ran last",
    "Below 1",
)
RUN_DURATION: Final = Measurement(
    "lending_club.run.duration",
    "s",
    ("dagster_job",),
    "Time that the newest successful run of a job took",
    "Twice the median of a week: `RunsSlower`",
)
RUNS: Final = Measurement(
    "lending_club.runs.finished",
    "{run}",
    ("dagster_job", "status"),
    "Runs of a job that ended in the last seven days, by status",
    "Many `failure`",
)
SUCCESS_RATIO: Final = Measurement(
    "lending_club.runs.success_ratio",
    "1",
    ("dagster_job",),
    "Share of the runs of the last seven days that succeeded",
    "Below 1",
)
QUEUE: Final = Measurement(
    "lending_club.runs.unfinished",
    "{run}",
    ("status",),
    "Runs that wait (`queued`) or are under way (`started`)",
    "More and more are queued: a run hangs, or the daemon is silent",
)
DELIVERIES: Final = Measurement(
    "lending_club.deliveries",
    "{delivery}",
    ("outcome",),
    "Business dates of the last seven days, by outcome of their newest run",
    "Any `failed`, `refused` or `held`",
)
DAEMON_AGE: Final = Measurement(
    "lending_club.daemon.age",
    "s",
    ("daemon",),
    "Time since the last sign of life of a daemon of Dagster",
    "Above 180: `DaemonSilent`",
)
WATCHER_AGE: Final = Measurement(
    "lending_club.watcher.age",
    "s",
    ("watcher",),
    "Time since a sensor or schedule that is switched on looked last",
    "Ten times its interval: `WatcherFailing`",
)
WATCHER_FAILING: Final = Measurement(
    "lending_club.watcher.failing",
    "{watcher}",
    ("watcher",),
    "1 if a sensor or schedule failed when it looked last, else 0",
    "1: `WatcherFailing`",
)
ALERTS: Final = Measurement(
    "lending_club.alerts.open",
    "{alert}",
    ("alert",),
    "Open alerts, as far as Dagster's storage shows them",
    "Above 0",
)
UNREADABLE: Final = Measurement(
    "lending_club.history.unreadable",
    "{read}",
    (),
    "1 if Dagster's storage could not be read, else 0",
    "1: all other measurements are missing",
)
STATEMENTS: Final = Measurement(
    "lending_club.databricks.statements",
    "{statement}",
    ("work", "status"),
    "Statements of the pipeline on Databricks in the last 24 hours",
    "Many `failed`; more `outside runs` than usual, which keep a SQL warehouse awake",
)
STATEMENT_DURATION: Final = Measurement(
    "lending_club.databricks.duration",
    "s",
    ("work", "status"),
    "Sum of the durations of these statements",
    "Growing from week to week with the same rows",
)
STATEMENT_READ: Final = Measurement(
    "lending_club.databricks.read",
    "By",
    ("work", "status"),
    "Data that these statements read",
    "Growing faster than the deliveries: a model reads all dates",
)
STATEMENT_WRITTEN: Final = Measurement(
    "lending_club.databricks.written",
    "By",
    ("work", "status"),
    "Data that these statements wrote to cloud storage",
    "Growing faster than the deliveries: a model replaces more than its dates",
)
HISTORY_OF_DATABRICKS_UNREADABLE: Final = Measurement(
    "lending_club.databricks.unreadable",
    "{read}",
    (),
    "1 if the query history of Databricks could not be read, else 0",
    "1: the four measurements above are missing; the log of `lending-club metrics` says why",
)

# These have values only on Databricks.
OF_DATABRICKS: Final = (
    *(STATEMENTS, STATEMENT_DURATION, STATEMENT_READ, STATEMENT_WRITTEN),
    HISTORY_OF_DATABRICKS_UNREADABLE,
)
MEASUREMENTS: Final = (
    *(ROWS, SIZE, NODE_DURATION, ASSET_AGE, PUBLICATION_AGE, PUBLISHED_MONEY, QUARANTINE),
    *(CHECK, PASSED_RATIO, RUN_DURATION, RUNS, SUCCESS_RATIO, QUEUE, DELIVERIES),
    *(DAEMON_AGE, WATCHER_AGE, WATCHER_FAILING, ALERTS, UNREADABLE),
    *OF_DATABRICKS,
)
