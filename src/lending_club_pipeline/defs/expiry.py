"""drop_expired_data: the job that drops the records of expired days.

It is a job without assets: "Materialize all" must not delete anything.
"""

from typing import Final

import dagster as dg

from lending_club_pipeline.defs.resources import Settings, WarehouseResource
from lending_club_pipeline.runs.retention import expire

EXPIRY_JOB_NAME: Final = "drop_expired_data"


class ExpiryConfig(dg.Config):
    """Configuration of the job.

    Attributes:
        dry_run: only say what would be dropped.
    """

    dry_run: bool = False


@dg.op
def drop_expired_days(
    context: dg.OpExecutionContext,
    config: ExpiryConfig,
    settings: Settings,
    warehouse: dg.ResourceParam[WarehouseResource],
) -> None:
    """Drop the landed and loaded records of expired days, their daily summary and quarantine.

    Ledger, tiers, movements, changes and histories stay. The output's metadata lists the days.
    """
    days = expire(warehouse.warehouse, settings, dry_run=config.dry_run)
    context.add_output_metadata(
        {
            "dry_run": config.dry_run,
            "days": len(days),
            "rows": sum(day.rows for day in days),
            "landed_bytes": sum(day.landed_bytes for day in days),
            "dates": [day.as_of_date.isoformat() for day in days],
        }
    )


@dg.job(
    name=EXPIRY_JOB_NAME,
    description="Drop records of days that are older than RETENTION_DAYS.",
    executor_def=dg.in_process_executor,
)
def drop_expired_data() -> None:
    """Drop expired days."""
    drop_expired_days()
