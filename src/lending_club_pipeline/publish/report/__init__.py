"""`report.html`: a delivery on one page, for people who do not read SQL."""

from collections.abc import Sequence

from lending_club_pipeline.publish.report.queries import read_report
from lending_club_pipeline.publish.report.render import render
from lending_club_pipeline.reconcile.checks import CheckResult
from lending_club_pipeline.reconcile.ledger import (
    DeliveryLedger,
    newest_publishable_date,
    read_ledger,
)
from lending_club_pipeline.warehouse.protocol import Warehouse


def render_report(
    warehouse: Warehouse, ledger: DeliveryLedger, checks: Sequence[CheckResult], currency: str
) -> str:
    """Return the report of a delivery, compared with the previously published one.

    Args:
        warehouse: an open warehouse.
        ledger: ledger of the delivery.
        checks: the checks of this run and their results.
        currency: the accounts' currency, as its ISO 4217 code.

    Raises:
        OutputError: the tiers of the delivery do not add up to its ledger.
    """
    earlier = newest_publishable_date(warehouse, before=ledger.as_of_date)
    previous = None if earlier is None else read_ledger(warehouse, earlier)
    return render(read_report(warehouse, ledger, previous, checks, currency))
