"""All definitions of the project."""

import datetime as dt
from collections.abc import Sequence

import dagster as dg

from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.dbt_runner.manifest import prepare_manifest
from lending_club_pipeline.defs.abandoned_runs import abandoned_runs
from lending_club_pipeline.defs.dbt.assets import build_dbt_assets
from lending_club_pipeline.defs.dbt.month_ends import build_month_end_assets
from lending_club_pipeline.defs.expiry import drop_expired_data
from lending_club_pipeline.defs.ingest.approvals import DELIVERY_APPROVALS, approve_delivery
from lending_club_pipeline.defs.ingest.assets import build_delivery_assets
from lending_club_pipeline.defs.io_managers import ParquetIOManager
from lending_club_pipeline.defs.jobs import (
    close_month,
    process_delivery,
    publish_outputs,
)
from lending_club_pipeline.defs.operating.alerts import build_alerts_sensor
from lending_club_pipeline.defs.partitions import business_dates, monthly_partitions
from lending_club_pipeline.defs.progress import PROGRESS, progress_logger
from lending_club_pipeline.defs.publish.assets import build_output_assets
from lending_club_pipeline.defs.publish.serving import build_serving_asset
from lending_club_pipeline.defs.resources import build_resources
from lending_club_pipeline.defs.schedules import build_schedules
from lending_club_pipeline.defs.sensors import build_delivery_sensor, days_beside_refused_ones
from lending_club_pipeline.warehouse import choose_warehouse


def _intervals(sensors: Sequence[dg.SensorDefinition]) -> dict[str, dt.timedelta]:
    """Return the time between two looks of each sensor, by name."""
    return {
        sensor.name: dt.timedelta(seconds=sensor.minimum_interval_seconds or 30)
        for sensor in sensors
    }


def build_definitions(settings: DataPlatformConfig) -> dg.Definitions:
    """Make the definitions for the engine and folders that the settings name.

    Raises:
        TransformationError: dbt cannot parse its project.
    """
    warehouse = choose_warehouse(settings)
    prepared = prepare_manifest(
        {**warehouse.dbt_environment(), **settings.dbt.environment}, settings.dbt_cache
    )
    resources = build_resources(settings)
    io_manager = ParquetIOManager(settings=resources["settings"])
    dates = business_dates(
        settings.days.first_as_of_date,
        settings.days.backfill_days_per_run,
        settings.days.business_timezone,
    )
    months = monthly_partitions(settings.days.first_as_of_date, settings.days.business_timezone)
    sensors = [
        build_delivery_sensor(settings),
        days_beside_refused_ones,
        abandoned_runs,
    ]
    return dg.Definitions(
        assets=[
            build_delivery_assets(dates),
            DELIVERY_APPROVALS,
            build_dbt_assets(prepared, dates),
            build_month_end_assets(prepared, months),
            build_output_assets(dates),
            *([build_serving_asset(dates)] if warehouse.serves_readers else []),
        ],
        jobs=[process_delivery, publish_outputs, close_month, drop_expired_data, approve_delivery],
        schedules=build_schedules(settings.days.business_timezone),
        sensors=[*sensors, build_alerts_sensor(settings, _intervals(sensors))],
        resources={**resources, "parquet_io_manager": io_manager},
        loggers={"console": dg.colored_console_logger, PROGRESS: progress_logger},
        executor=dg.in_process_executor,
    )
