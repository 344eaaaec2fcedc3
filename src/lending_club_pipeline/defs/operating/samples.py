"""Read all samples while measurements are served: from Dagster's storage, and from Databricks.

Databricks answers slowly. So its samples are read in the background, and no scrape waits for them.
"""

import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from lending_club_pipeline.config import clock
from lending_club_pipeline.config.environment import current_variables
from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.errors import PipelineError
from lending_club_pipeline.contract.extras import require_extra
from lending_club_pipeline.defs.instance import ensure_dagster_home, opened_history
from lending_club_pipeline.defs.operating.measures import catalog_of, read_samples
from lending_club_pipeline.defs.project import build_definitions
from lending_club_pipeline.operating import measurements as of
from lending_club_pipeline.operating.measurements import Measurement, Sample
from lending_club_pipeline.runs.overview import business_now
from lending_club_pipeline.warehouse.databricks.query_history import QueryHistory, Statement

# The workspace limits the rate of requests, and lists a statement with a delay.
_KEPT_SECONDS: Final = 300.0


@contextmanager
def reading_samples(
    settings: DataPlatformConfig, patience_seconds: float = 0.0
) -> Iterator[Callable[[], Sequence[Sample]]]:
    """Yield a function that reads every measurement.

    Args:
        settings: the project's settings.
        patience_seconds: how long a read waits for the values of Databricks.

    Raises:
        ConfigurationError: the packages for Databricks are not installed.
        OutputError: Dagster's history cannot be opened.
        TransformationError: dbt cannot parse its project, whose models are the layers.
    """
    catalog = catalog_of(build_definitions(settings))
    ensure_dagster_home(settings)
    others = _samples_of_engine(settings, patience_seconds)
    with opened_history(settings) as instance:
        yield lambda: [*read_samples(instance, catalog, business_now(settings)), *others()]


def _samples_of_engine(
    settings: DataPlatformConfig, patience_seconds: float
) -> Callable[[], Sequence[Sample]]:
    if settings.engine.database_type != "databricks":
        return tuple
    require_extra("databricks", "DATABASE_TYPE=databricks")
    return refreshed_statements(settings, patience_seconds).samples


class Refreshed:
    """Keeps samples for some time, then reads them again in a thread.

    Args:
        read: reads the samples; it may fail.
        unreadable: 1 if the last read failed, else 0; after a failure it is the only sample.
        seconds: how long samples, or a failure, are kept.
        patience_seconds: how long a caller waits for a read that is in progress.
    """

    def __init__(
        self,
        read: Callable[[], Sequence[Sample]],
        unreadable: Measurement,
        seconds: float,
        patience_seconds: float,
    ) -> None:
        self._read, self._unreadable = read, unreadable
        self._seconds, self._patience_seconds = seconds, patience_seconds
        self._samples: Sequence[Sample] = ()
        self._begun_at = float("-inf")
        self._reading: threading.Thread | None = None

    def samples(self) -> Sequence[Sample]:
        """Return the samples of the last finished read; none before the first one."""
        if self._reading is None and time.monotonic() - self._begun_at >= self._seconds:
            self._begun_at = time.monotonic()
            # As a daemon it does not delay the end of the process when the network hangs.
            self._reading = threading.Thread(target=self._read_now, daemon=True)
            self._reading.start()
        if self._reading is not None:
            self._reading.join(self._patience_seconds)
            self._reading = self._reading if self._reading.is_alive() else None
        return self._samples

    def _read_now(self) -> None:
        try:
            self._samples = [*self._read(), Sample(self._unreadable, 0)]
        except Exception as error:  # noqa: BLE001 - whatever it is, the next read may succeed
            # The text of a library's error may hold a secret; ours do not.
            said = str(error) if isinstance(error, PipelineError) else type(error).__name__
            print(f"{self._unreadable.name}: {said}", file=sys.stderr)  # noqa: T201 - the log
            self._samples = [Sample(self._unreadable, 1)]


def refreshed_statements(settings: DataPlatformConfig, patience_seconds: float) -> Refreshed:
    """Return the samples of Databricks, which are read at most every five minutes.

    Args:
        settings: the project's settings.
        patience_seconds: how long a caller waits for a read that is in progress.
    """
    history = QueryHistory(settings.databricks, current_variables())
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
