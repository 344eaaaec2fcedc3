"""What happens at a time of day."""

import datetime as dt

import dagster as dg

from lending_club_pipeline.defs.expiry import drop_expired_data
from lending_club_pipeline.defs.jobs import process_delivery


@dg.schedule(
    job=process_delivery,
    cron_schedule="0 6 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)
def daily_delivery_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Process the delivery of the day at six in the morning (UTC). Shipped stopped.

    A day without a delivery fails, as it should: somebody waits for it. One that is processed
    already and unchanged is left alone.
    """
    day = context.scheduled_execution_time.astimezone(dt.UTC).date().isoformat()
    return dg.RunRequest(
        run_key=f"schedule {day}", partition_key=day, tags={"lending_club/as_of_date": day}
    )


@dg.schedule(
    job=drop_expired_data,
    cron_schedule="0 3 * * 0",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)
def weekly_expiry_schedule() -> dg.RunRequest:
    """Drop what is older than `RETENTION_DAYS` on Sundays at three (UTC). Shipped stopped."""
    return dg.RunRequest()
