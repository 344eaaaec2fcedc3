"""Access to Dagster's storage while measurements are served."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.defs.instance import ensure_dagster_home, opened_history
from lending_club_pipeline.defs.operating.measures import catalog_of, read_samples
from lending_club_pipeline.defs.project import build_definitions
from lending_club_pipeline.operating.measurements import Sample
from lending_club_pipeline.runs.overview import business_now


@contextmanager
def reading_samples(settings: DataPlatformConfig) -> Iterator[Callable[[], Sequence[Sample]]]:
    """Yield a function that reads every measurement.

    Args:
        settings: the project's settings.

    Raises:
        OutputError: Dagster's history cannot be opened.
        TransformationError: dbt cannot parse its project, whose models are the layers.
    """
    catalog = catalog_of(build_definitions(settings))
    ensure_dagster_home(settings)
    with opened_history(settings) as instance:
        yield lambda: read_samples(instance, catalog, business_now(settings))
