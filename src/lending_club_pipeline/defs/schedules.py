"""The schedules."""

import dagster as dg

from lending_club_pipeline.config import clock
from lending_club_pipeline.defs.expiry import drop_expired_data
from lending_club_pipeline.defs.jobs import process_delivery


def build_schedules(timezone: str) -> list[dg.ScheduleDefinition]:
    """Make the schedules, in the business time zone.

    Args:
        timezone: IANA name of the business time zone.
    """

    @dg.schedule(
        job=process_delivery,
        cron_schedule="0 6 * * *",
        execution_timezone=timezone,
        default_status=dg.DefaultScheduleStatus.STOPPED,
    )
    def daily_delivery_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        """Process the delivery of the day at six in the morning. Shipped stopped.

        Without a delivery the run fails, because a delivery is expected. An unchanged delivery that
        was processed before is skipped.
        """
        day = clock.day_of(context.scheduled_execution_time, timezone).date.isoformat()
        return dg.RunRequest(
            run_key=f"schedule {day}", partition_key=day, tags={"lending_club/as_of_date": day}
        )

    @dg.schedule(
        job=drop_expired_data,
        cron_schedule="0 3 * * 0",
        execution_timezone=timezone,
        default_status=dg.DefaultScheduleStatus.STOPPED,
    )
    def weekly_expiry_schedule() -> dg.RunRequest:
        """Drop expired records on Sundays at three, see `RETENTION_DAYS`. Shipped stopped."""
        return dg.RunRequest()

    return [daily_delivery_schedule, weekly_expiry_schedule]
