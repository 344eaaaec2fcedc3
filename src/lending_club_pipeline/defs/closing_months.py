"""Close months: compute what is made once a month, when a month is over or a day of it changed."""

import datetime as dt
from collections.abc import Callable, Collection, Iterable
from typing import Final

from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.errors import WarehouseLockedError
from lending_club_pipeline.defs.jobs import MONTH_JOB_NAME
from lending_club_pipeline.defs.local_runs import RunReport, run_job
from lending_club_pipeline.reconcile.ledger import closed_dates, relations_of
from lending_club_pipeline.warehouse import Warehouse, choose_warehouse

_LATER: Final = "Another run has the database already: a month that is due is closed after it."


def first_of_month(date: dt.date) -> dt.date:
    """Return the first day of a date's month."""
    return date.replace(day=1)


def _next_month(month: dt.date) -> dt.date:
    return first_of_month(month + dt.timedelta(days=31))


def months_to_close(
    processed: Iterable[dt.date],
    known: Collection[dt.date],
    closed: Collection[dt.date] | None = None,
) -> list[dt.date]:
    """Return the months, by their first days, that are over and whose end may be another now.

    A month is over when a delivery of its last day or of a later one is known. It is due when one
    of its days was processed now, or when it was never closed with its last delivery.

    Args:
        processed: dates that were processed now.
        known: all dates whose ledger closes.
        closed: the last deliveries with which months were closed; None means none were.
    """
    if not known:
        return []
    newest = max(known)
    last = {first_of_month(date): date for date in sorted(known)}
    due = {first_of_month(date) for date in processed}
    due |= {month for month, date in last.items() if date not in (closed or ())}
    return [month for month in sorted(due) if newest >= _next_month(month) - dt.timedelta(days=1)]


def close_months(
    settings: DataPlatformConfig,
    processed: Collection[dt.date],
    on_message: Callable[[str], None],
    run_id: str = "",
) -> RunReport | None:
    """Close the months that are due; None if there are none, or if another run goes on.

    Args:
        settings: the project's settings.
        processed: dates that were processed now.
        on_message: is told what is being done.
        run_id: Dagster's id of the run that processed them.

    Raises:
        PipelineError: the run could not even begin.
    """
    if not processed:
        return None
    warehouse = choose_warehouse(settings)
    try:
        with warehouse.session(read_only=True, run_id=run_id):
            known, closed = closed_dates(warehouse), _month_ends(warehouse)
    except WarehouseLockedError:
        on_message(_LATER)
        return None
    months = months_to_close(processed, known, closed)
    report = close(settings, months, on_message) if months else None
    if report is not None and report.is_locked_out:
        on_message(_LATER)
        return None
    return report


def _month_ends(warehouse: Warehouse) -> set[dt.date]:
    if "account_summary_monthly" not in relations_of(warehouse):
        return set()
    rows = warehouse.fetch("select distinct as_of_date from account_summary_monthly")
    return {row["as_of_date"] for row in rows}


def close(
    settings: DataPlatformConfig, months: Collection[dt.date], on_message: Callable[[str], None]
) -> RunReport:
    """Compute the ends of the months from the first of some through their last, in one run.

    Raises:
        PipelineError: the run could not even begin.
    """
    return run_job(settings, MONTH_JOB_NAME, (min(months), max(months)), on_message)
