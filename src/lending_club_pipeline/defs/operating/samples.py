"""Access to Dagster's storage while measurements are served."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.extras import require_extra
from lending_club_pipeline.defs.instance import ensure_dagster_home, opened_history
from lending_club_pipeline.defs.operating.measures import catalog_of, read_samples
from lending_club_pipeline.defs.operating.statements import refreshed_statements
from lending_club_pipeline.defs.project import build_definitions
from lending_club_pipeline.operating.measurements import Sample
from lending_club_pipeline.runs.overview import business_now


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
