"""Samples of the statements on Databricks: sums over the last 24 hours."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from lending_club_pipeline.config import clock
from lending_club_pipeline.config.environment import variables_of_now
from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.operating import measurements as of
from lending_club_pipeline.operating.measurements import Sample
from lending_club_pipeline.operating.refreshing import Refreshed
from lending_club_pipeline.warehouse.databricks.query_history import QueryHistory, Statement

# The workspace limits the rate of requests, and lists a statement with a delay.
_KEPT_SECONDS: Final = 300.0


def refreshed_statements(settings: DataPlatformConfig, patience_seconds: float) -> Refreshed:
    """Return the samples of Databricks, which are read at most every five minutes.

    Args:
        settings: the project's settings.
        patience_seconds: how long a caller waits for a read that is in progress.
    """
    history = QueryHistory(settings.databricks, variables_of_now())
    return Refreshed(
        lambda: statement_samples(history.read(clock.now())),
        of.HISTORY_OF_DATABRICKS_UNREADABLE,
        _KEPT_SECONDS,
        patience_seconds,
    )


def statement_samples(statements: Iterable[Statement]) -> Sequence[Sample]:
    """Add up statements by work and status.

    Not by `run_id`: each run would be a new time series with a single value. Bytes are left out
    where the workspace does not report them.
    """
    totals: defaultdict[tuple[of.Measurement, str, str], float] = defaultdict(float)
    for it in statements:
        values = {
            of.STATEMENTS: 1,
            of.STATEMENT_DURATION: it.seconds,
            of.STATEMENT_READ: it.read_bytes,
            of.STATEMENT_WRITTEN: it.written_bytes,
        }
        for measurement, value in values.items():
            if value is not None:
                totals[measurement, it.work, it.status] += value
    return [
        Sample(measurement, value, {"work": work, "status": status})
        for (measurement, work, status), value in totals.items()
    ]
