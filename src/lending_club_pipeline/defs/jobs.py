"""The jobs: process deliveries, publish outputs again, close months, drop expired records."""

from typing import Final

import dagster as dg

JOB_NAME: Final = "process_delivery"
PUBLISH_JOB_NAME: Final = "publish_outputs"
MONTH_JOB_NAME: Final = "close_month"
_MONTH_ENDS: Final = dg.AssetSelection.assets("account_summary_monthly")
# The files, and the table for readers if there is one.
_OUTPUTS: Final = dg.AssetSelection.groups("outputs")

# One process, because only one process may write to the embedded database.
process_delivery = dg.define_asset_job(
    JOB_NAME,
    selection=dg.AssetSelection.all() - _MONTH_ENDS,
    description="Validate, clean, join, enrich and publish the deliveries of one or more days.",
    executor_def=dg.in_process_executor,
)

publish_outputs = dg.define_asset_job(
    PUBLISH_JOB_NAME,
    selection=_OUTPUTS,
    description="Publish what the warehouse holds again: files that were changed or lost.",
    executor_def=dg.in_process_executor,
)

close_month = dg.define_asset_job(
    MONTH_JOB_NAME,
    selection=_MONTH_ENDS,
    description="Compute month-end balances and accrued interest from the histories.",
    executor_def=dg.in_process_executor,
)
