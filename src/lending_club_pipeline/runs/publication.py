"""Checks whether a delivery may be published, and whether the outputs still hold it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from lending_club_pipeline.contract.errors import OutputError
from lending_club_pipeline.publish.manifest import holds
from lending_club_pipeline.reconcile.checks import BLOCKING, CheckResult, read_checks
from lending_club_pipeline.reconcile.ledger import (
    DeliveryLedger,
    newest_publishable_date,
    read_ledger,
)
from lending_club_pipeline.runs.day_states import DayState, builds_of
from lending_club_pipeline.runs.plan import is_published, newest_publishable
from lending_club_pipeline.storage.outputs import Outputs
from lending_club_pipeline.warehouse import Warehouse


@dataclass(frozen=True)
class Publishable:
    """The delivery to publish: the newest that closes and is not held.

    Attributes:
        ledger: its ledger.
        checks: its check results; all blocking checks have passed.
        builds: the builds that the warehouse held, see `builds_of`.
    """

    ledger: DeliveryLedger
    checks: tuple[CheckResult, ...]
    builds: str

    def is_of(self, days: Mapping[dt.date, DayState]) -> bool:
        """Whether nothing was built since.

        Args:
            days: states by date, as they are now.
        """
        return self.builds == builds_of(days)


def read_publishable(warehouse: Warehouse, days: Mapping[dt.date, DayState]) -> Publishable:
    """Read the delivery to publish.

    Args:
        warehouse: an open warehouse.
        days: states by date.

    Raises:
        OutputError: no delivery that may be published was processed yet, or a blocking check of it
            failed or did not run.
    """
    newest = newest_publishable_date(warehouse)
    ledger = None if newest is None else read_ledger(warehouse, newest)
    if ledger is None:
        raise OutputError("There is nothing to publish: no delivery was processed yet.")
    checks = proven_checks(warehouse, days, ledger.as_of_date)
    return Publishable(ledger, tuple(checks), builds_of(days))


def are_published(
    outputs: Outputs, days: Mapping[dt.date, DayState], *, serves_readers: bool
) -> bool:
    """Whether the newest publishable date is, byte for byte, in the outputs.

    Args:
        outputs: where outputs are published.
        days: states by date.
        serves_readers: whether there is a table for readers beside the files.
    """
    newest = newest_publishable(days)
    if newest is None or not is_published(days, serves_readers=serves_readers):
        return newest is None
    return holds(outputs, newest.published_sha256)


def proven_checks(
    warehouse: Warehouse, days: Mapping[dt.date, DayState], as_of_date: dt.date
) -> list[CheckResult]:
    """Read the check results of a delivery; all blocking checks must have passed.

    Args:
        warehouse: an open warehouse.
        days: states by date.
        as_of_date: business date of the delivery that is to be published.

    Raises:
        OutputError: a blocking check failed or did not run.
    """
    checks = read_checks(warehouse, as_of_date)
    needed = days[as_of_date].blocking_checks if as_of_date in days else 0
    blocking = [check for check in checks if check.severity == BLOCKING]
    failed = [check.name for check in blocking if not check.passed]
    if not needed or failed or len(blocking) < needed:
        what = f"check {failed[0]} failed" if failed else "not every blocking check has passed"
        raise OutputError(
            f"The delivery of {as_of_date} may not be published: {what} when it was processed "
            "last, or an older version processed it. Nothing was published. Process it again: "
            f"lending-club run --as-of {as_of_date} --force"
        )
    return checks
