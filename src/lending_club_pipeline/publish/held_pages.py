"""Held deliveries: a page beside the outputs, and a line for the error."""

import datetime as dt
import re
from collections.abc import Callable, Sequence
from typing import Final

from lending_club_pipeline.contract.numbers import format_percent
from lending_club_pipeline.publish.report import render_report
from lending_club_pipeline.publish.report.moved import TITLES, change_in_percent
from lending_club_pipeline.reconcile.checks import CheckResult
from lending_club_pipeline.reconcile.ledger import read_ledger
from lending_club_pipeline.reconcile.movements import Movements, held_dates, read_movements
from lending_club_pipeline.storage.outputs import Outputs
from lending_club_pipeline.warehouse.protocol import Warehouse

_PAGE: Final = re.compile(r"held-(\d{4}-\d{2}-\d{2})\.html", re.ASCII)


def write_held_pages(
    warehouse: Warehouse,
    outputs: Outputs,
    dates: Sequence[dt.date],
    checks: Callable[[dt.date], Sequence[CheckResult]],
    currency: str,
) -> str:
    """Write `held-YYYY-MM-DD.html` for held deliveries; return one line about their movements.

    Args:
        warehouse: an open warehouse.
        outputs: where outputs are published.
        dates: business dates of held deliveries, oldest first.
        checks: returns the checks of a delivery.
        currency: the accounts' currency, as its ISO 4217 code.

    Returns:
        The movements, the pages, and how to continue.

    Raises:
        OutputError: a page cannot be written.
    """
    pages = []
    for date in dates:
        ledger = read_ledger(warehouse, date)
        if ledger is None:
            continue
        page = render_report(warehouse, ledger, checks(date), currency)
        name = f"held-{date.isoformat()}.html"
        with outputs.publication() as publication, publication.explaining(name):
            publication.work_for(name).write_text(page, encoding="utf-8", newline="\n")
        pages.append(outputs.location / name)
    said = "; ".join(_said(read_movements(warehouse, date)) for date in dates)
    first = dates[0].isoformat()
    return (
        f"{said}. Nothing was published; the outputs of the last good run are unchanged. Look at "
        f"{', '.join(map(str, pages))}. If it is right: "
        f'lending-club approve {first} --reason "…", then lending-club run --as-of {first}.'
    )


def _said(movements: Movements) -> str:
    moved = [
        f"{TITLES[it.measure].lower()} {change_in_percent(it)} "
        f"(limit {format_percent(it.limit_percent)})"
        for it in movements.measures
        if it.is_beyond_limit and it.limit_percent is not None
    ]
    against = movements.measures[0].previous_date
    return f"the delivery of {movements.as_of_date} moved against {against}: {', '.join(moved)}"


def remove_pages_of_published(warehouse: Warehouse, outputs: Outputs) -> None:
    """Remove the pages of deliveries that are no longer held.

    Args:
        warehouse: an open warehouse.
        outputs: where outputs are published.
    """
    pages = {match[1]: name for name in outputs.names() if (match := _PAGE.fullmatch(name))}
    if not pages:
        return
    held = {date.isoformat() for date in held_dates(warehouse)}
    for day, name in pages.items():
        if day not in held:
            outputs.remove(name)
