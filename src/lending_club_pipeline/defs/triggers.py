"""When a delivery is processed without anybody asking: at a time of day, or when it arrives."""

import datetime as dt
from collections.abc import Iterator

import dagster as dg

from lending_club_pipeline.config.settings import load_settings
from lending_club_pipeline.defs.jobs import drop_expired_data, process_delivery
from lending_club_pipeline.ingest.deliveries.watch import look


def _request(key: str, as_of_date: dt.date) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=key,
        partition_key=as_of_date.isoformat(),
        tags={"lending_club/as_of_date": as_of_date.isoformat()},
    )


@dg.schedule(
    job=process_delivery,
    cron_schedule="0 6 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)
def daily_delivery_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Process the delivery of the day at six in the morning (UTC). Shipped stopped.

    A day without a delivery fails, as it should: somebody waits for it.
    """
    day = context.scheduled_execution_time.astimezone(dt.UTC).date()
    return _request(f"schedule {day.isoformat()}", day)


@dg.schedule(
    job=drop_expired_data,
    cron_schedule="0 3 * * 0",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)
def weekly_expiry_schedule() -> dg.RunRequest:
    """Drop what is older than `RETENTION_DAYS` on Sundays at three (UTC). Shipped stopped."""
    return dg.RunRequest()


@dg.sensor(
    job=process_delivery,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.STOPPED,
)
def new_delivery_sensor(
    context: dg.SensorEvaluationContext,
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Process each new or changed delivery exactly once. Shipped stopped.

    A delivery is taken when both of its files are there and have been left alone for
    `SENSOR_SETTLE_SECONDS`. Its checksums are the run key, so that Dagster never runs it twice.
    """
    settings = load_settings()
    watch = look(
        settings.input_path,
        context.cursor,
        dt.datetime.now(dt.UTC),
        settings.sensor_settle_seconds,
    )
    context.update_cursor(watch.memory)
    for delivery in watch.deliveries:
        yield _request(delivery.key, delivery.as_of_date)
    if not watch.deliveries:
        yield dg.SkipReason("; ".join(watch.waiting) or f"Nothing lies in {settings.input_path}")
