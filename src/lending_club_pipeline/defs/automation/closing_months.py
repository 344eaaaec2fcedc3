"""Close months: compute what is made once a month, when a month is over or a day of it changed."""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator

from lending_club_pipeline.defs.automation.jobs import MONTH_JOB_NAME
from lending_club_pipeline.defs.automation.local_runs import RunReport, run_job
from lending_club_pipeline.errors import WarehouseLockedError
from lending_club_pipeline.outputs.closing import closed_dates
from lending_club_pipeline.settings import DataPlatformConfig
from lending_club_pipeline.warehouse import choose_warehouse


def first_of_month(date: dt.date) -> dt.date:
    """Return the first day of a date's month."""
    return date.replace(day=1)


def _next_month(month: dt.date) -> dt.date:
    return first_of_month(month + dt.timedelta(days=31))


def months_to_close(processed: Iterable[dt.date], known: Collection[dt.date]) -> list[dt.date]:
    """Return the months, by their first days, that are over and whose end may be another now.

    A month is over when a delivery of its last day or of a later one is known. The first delivery
    of a month also closes that of the delivery before it.

    Args:
        processed: dates that were processed now.
        known: all dates whose ledger closes.
    """
    if not known:
        return []
    newest = max(known)
    return [
        month
        for month in sorted(set(_touched(processed, sorted(known))))
        if newest >= _next_month(month) - dt.timedelta(days=1)
    ]


def _touched(processed: Iterable[dt.date], known: list[dt.date]) -> Iterator[dt.date]:
    for date in processed:
        yield first_of_month(date)
        before = max((it for it in known if it < date), default=None)
        if before is not None:
            yield first_of_month(before)


def close_months(
    settings: DataPlatformConfig,
    processed: Collection[dt.date],
    on_message: Callable[[str], None],
) -> RunReport | None:
    """Close the months that the processing of some dates makes due; None if there are none.

    Args:
        settings: the project's settings.
        processed: dates that were processed now.
        on_message: is told what is being done.

    Raises:
        PipelineError: the run could not even begin.
    """
    if not processed:
        return None
    warehouse = choose_warehouse(settings)
    try:
        with warehouse.session(read_only=True):
            months = months_to_close(processed, closed_dates(warehouse))
    except WarehouseLockedError:
        on_message("Another run has the database already. Close a month by `close-month` if due.")
        return None
    return close(settings, months, on_message) if months else None


def close(
    settings: DataPlatformConfig, months: Collection[dt.date], on_message: Callable[[str], None]
) -> RunReport:
    """Compute the ends of the months from the first of some through their last, in one run.

    Raises:
        PipelineError: the run could not even begin.
    """
    return run_job(settings, MONTH_JOB_NAME, (min(months), max(months)), on_message)
