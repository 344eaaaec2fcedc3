"""The end of a run whose delivery moved beyond its limits."""

import datetime as dt
from collections.abc import Sequence
from functools import partial
from typing import Final, NoReturn

from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.errors import HeldDeliveryError
from lending_club_pipeline.publish.held_pages import write_held_pages
from lending_club_pipeline.reconcile.checks import read_checks
from lending_club_pipeline.reconcile.movements import held_dates
from lending_club_pipeline.storage.outputs import outputs_of
from lending_club_pipeline.warehouse import Warehouse

# The dbt test that stops the nodes after `publishable_deliveries`.
_GATE: Final = "movements_are_within_limits_or_approved"


def is_only_held(failed: Sequence[str]) -> bool:
    """Whether only the test for held deliveries failed in a dbt run.

    Args:
        failed: names of the failed nodes.
    """
    return list(failed) == [_GATE]


def hold(
    settings: DataPlatformConfig,
    warehouse: Warehouse,
    dates: Sequence[dt.date],
) -> NoReturn:
    """Write a page for each held delivery of a run, and end the run.

    Args:
        settings: where outputs are published.
        warehouse: an open warehouse.
        dates: business dates of the run.

    Raises:
        HeldDeliveryError: always; it names the movements and the remedy.
    """
    held = held_dates(warehouse, dates)
    checks = partial(read_checks, warehouse)
    page = write_held_pages(
        warehouse, outputs_of(settings), held, checks, settings.outputs.currency
    )
    raise HeldDeliveryError(page, held)
