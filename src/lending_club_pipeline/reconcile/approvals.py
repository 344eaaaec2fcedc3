"""Approve a held delivery: record who approved it, when and why."""

import datetime as dt

from lending_club_pipeline.contract.errors import ApprovalError
from lending_club_pipeline.reconcile.ledger import read_ledger
from lending_club_pipeline.reconcile.movements import held_dates
from lending_club_pipeline.warehouse.approvals import Approval
from lending_club_pipeline.warehouse.protocol import Warehouse


def approve(
    warehouse: Warehouse, as_of_date: dt.date, approved_by: str, reason: str, now: dt.datetime
) -> Approval:
    """Record an approval of a held delivery; the next run of its date publishes it.

    Args:
        warehouse: an open warehouse.
        as_of_date: business date of the delivery.
        approved_by: who approves.
        reason: why.
        now: the current time, with time zone.

    Raises:
        ApprovalError: the date is not held or was never processed, or name or reason is empty.
    """
    if not reason.strip() or not approved_by.strip():
        raise ApprovalError("An approval needs a reason (--reason) and a name (--by).")
    if "delivery_movements" not in warehouse.relations() or as_of_date not in held_dates(warehouse):
        raise _nothing_held(warehouse, as_of_date)
    day = f"date '{as_of_date.isoformat()}'"
    files = warehouse.fetch(
        "select distinct customers_sha256, accounts_sha256 from delivery_movements "
        f"where as_of_date = {day}"
    )
    approval = Approval(
        as_of_date,
        approved_by.strip(),
        now.astimezone(dt.UTC).replace(tzinfo=None, microsecond=0),
        " ".join(reason.split()),
        files[0]["customers_sha256"],
        files[0]["accounts_sha256"],
    )
    warehouse.record_approval(approval)
    return approval


def _nothing_held(warehouse: Warehouse, as_of_date: dt.date) -> ApprovalError:
    is_processed = (
        "delivery_ledger" in warehouse.relations()
        and read_ledger(warehouse, as_of_date) is not None
    )
    if is_processed:
        return ApprovalError(f"The delivery of {as_of_date} is not held: nothing to approve.")
    return ApprovalError(
        f"The delivery of {as_of_date} was not processed yet. Process it first: "
        f"lending-club run --as-of {as_of_date}."
    )
