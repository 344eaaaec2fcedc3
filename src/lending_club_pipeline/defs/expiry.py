"""expired_data: drops the records of days that are older than they are kept."""

import dagster as dg

from lending_club_pipeline.defs.resources import PlatformResource, WarehouseResource
from lending_club_pipeline.runs.retention import expire


class ExpiryConfig(dg.Config):
    """What a run of `expired_data` does.

    Attributes:
        dry_run: only say what would be dropped.
    """

    dry_run: bool = False


@dg.asset(
    # What says how old a day is, and the two tables of days that lose rows.
    deps=["delivery_ledger", "account_summary_daily", "quarantined_records"],
    group_name="retention",
    description=(
        "Records of days that are older than `RETENTION_DAYS` before the newest processed one: "
        "what was landed and loaded of them, `account_summary_daily` and `quarantined_records`. "
        "Ledger, tiers, movements, changes and histories stay."
    ),
    kinds={"table"},
    owners=["data-platform@lendingclub.example"],
)
def expired_data(
    config: ExpiryConfig,
    platform: PlatformResource,
    warehouse: dg.ResourceParam[WarehouseResource],
) -> dg.MaterializeResult[None]:
    """Drop expired days, and say which."""
    days = expire(warehouse.warehouse, platform.settings, dry_run=config.dry_run)
    return dg.MaterializeResult(
        metadata={
            "dry_run": config.dry_run,
            "days": len(days),
            "rows": sum(day.rows for day in days),
            "landed_bytes": sum(day.landed_bytes for day in days),
            "dates": [day.as_of_date.isoformat() for day in days],
        }
    )
