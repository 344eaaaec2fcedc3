"""The job that processes one delivery from file to file."""

from typing import Final

import dagster as dg

JOB_NAME: Final = "process_delivery"

# One process, because only one process may write to the embedded database.
process_delivery = dg.define_asset_job(
    JOB_NAME,
    selection=dg.AssetSelection.all(),
    description="Validate, clean, join, enrich and publish one delivery.",
    executor_def=dg.in_process_executor,
)
