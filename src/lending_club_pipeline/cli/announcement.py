"""Announce a run before slow imports, or fail if the delivery is missing."""

import datetime as dt
from typing import Final

import click

from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.errors import RefusedDeliveryError
from lending_club_pipeline.ingest.deliveries.discovery import (
    date_to_process,
    dates_with_delivery,
    find_delivery,
    no_delivery_between,
)
from lending_club_pipeline.runs.memory import check_memory, warning_of
from lending_club_pipeline.storage.inputs import inputs_of

# There is no delivery that a run could record as refused.
_NOTHING_THERE: Final = frozenset(
    {"folder_missing", "not_a_folder", "delivery_missing", "date_in_the_future"}
)


def announce(
    settings: DataPlatformConfig,
    as_of: dt.date | None,
    first: dt.date | None,
    last: dt.date | None,
) -> str:
    """Return a text that names the deliveries to process.

    Args:
        settings: the project's settings.
        as_of: requested business date; None takes the delivery that is there.
        first: first date of a requested range, if any.
        last: its last date; None means today.

    Raises:
        RefusedDeliveryError: there is no delivery of that date or range.
    """
    inputs, today = inputs_of(settings), settings.today()
    if first is not None:
        until = last or today.date
        dates = dates_with_delivery(inputs, first, until, today)
        if not dates:
            raise no_delivery_between(inputs, first, until)
        return f"{len(dates)} deliveries from {dates[0]} through {dates[-1]} in {inputs}"
    date = as_of or date_to_process(inputs, today)
    try:
        find_delivery(inputs, date, today)
    except RefusedDeliveryError as error:
        if error.code in _NOTHING_THERE:
            raise
    return f"The delivery of {date} in {inputs}"


def warn_of_memory(settings: DataPlatformConfig) -> None:
    """Warn on standard error if `MEMORY_LIMIT` is more than the machine has.

    Raises:
        ConfigurationError: the machine has less memory than any run needs.
    """
    warning = warning_of(check_memory(settings.engine.memory_limit))
    if warning:
        click.echo(f"Warning: {warning}", err=True)
