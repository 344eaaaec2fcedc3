"""The approvals of held deliveries: `lending-club approve`, and the job of Dagster's pages."""

import datetime as dt
from typing import Final

import dagster as dg

from lending_club_pipeline.config import clock
from lending_club_pipeline.contract.errors import ApprovalError
from lending_club_pipeline.defs.operating.attribution import USER_TAG
from lending_club_pipeline.defs.resources import WarehouseResource
from lending_club_pipeline.reconcile.approvals import approve
from lending_club_pipeline.runs.day_journal import DayJournal

DELIVERY_APPROVALS: Final = dg.AssetSpec(
    "delivery_approvals",
    description=(
        "Who approved a held delivery, when and why, by `lending-club approve` or the job "
        "`approve_delivery`. Each is valid for exactly the files that it names by their SHA-256."
    ),
    group_name="raw",
    kinds={"table"},
    owners=["finance@lendingclub.example"],
)


class ApprovalConfig(dg.Config):
    """The approval.

    Attributes:
        as_of_date: business date of the held delivery, as YYYY-MM-DD.
        reason: why it is right in spite of its movements.
    """

    as_of_date: str
    reason: str


@dg.op
def approve_held_delivery(
    context: dg.OpExecutionContext,
    config: ApprovalConfig,
    warehouse: dg.ResourceParam[WarehouseResource],
) -> None:
    """Record an approval of a held delivery by the person who signed in at the gateway.

    Raises:
        ApprovalError: nobody signed in, the date is not a date, or its delivery is not held.
    """
    by = context.run.tags.get(USER_TAG, "")
    if not by:
        raise ApprovalError(
            "Nobody signed in: an approval by Dagster's pages needs the gateway (see "
            "docs/operations.md). On the command line, use `lending-club approve`."
        )
    try:
        date = dt.date.fromisoformat(config.as_of_date)
    except ValueError:
        raise ApprovalError(
            f"{config.as_of_date!r} is not a date. Write it as YYYY-MM-DD."
        ) from None
    approval = approve(warehouse.warehouse, date, by, config.reason, clock.now())
    DayJournal.begin(warehouse.warehouse, run_id="").release(date)
    context.add_output_metadata(
        {"as_of_date": config.as_of_date, "approved_by": approval.approved_by}
    )


@dg.job(
    name="approve_delivery",
    description="Let a held delivery be published. The sensor starts the run that does so.",
    executor_def=dg.in_process_executor,
)
def approve_delivery() -> None:
    """Approve a held delivery."""
    approve_held_delivery()
