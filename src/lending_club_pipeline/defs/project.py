"""All definitions of the project."""

import datetime as dt
from typing import Final

import dagster as dg

from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.dbt_runner.manifest import prepare_manifest
from lending_club_pipeline.defs.abandoned_runs import abandoned_runs
from lending_club_pipeline.defs.dbt.assets import build_dbt_assets
from lending_club_pipeline.defs.dbt.month_ends import build_month_end_assets
from lending_club_pipeline.defs.expiry import expired_data
from lending_club_pipeline.defs.ingest.approvals import DELIVERY_APPROVALS
from lending_club_pipeline.defs.ingest.assets import build_delivery_assets
from lending_club_pipeline.defs.io_managers import ParquetIOManager
from lending_club_pipeline.defs.jobs import (
    close_month,
    drop_expired_data,
    process_delivery,
    publish_outputs,
)
from lending_club_pipeline.defs.operating.alerts import build_alerts_sensor
from lending_club_pipeline.defs.partitions import business_dates, monthly_partitions
from lending_club_pipeline.defs.progress import PROGRESS, progress_logger
from lending_club_pipeline.defs.publish.assets import build_output_assets
from lending_club_pipeline.defs.publish.serving import build_serving_asset
from lending_club_pipeline.defs.resources import build_resources
from lending_club_pipeline.defs.schedules import daily_delivery_schedule, weekly_expiry_schedule
from lending_club_pipeline.defs.sensors import days_beside_refused_ones, new_delivery_sensor
from lending_club_pipeline.warehouse import choose_warehouse

_SENSORS: Final = [new_delivery_sensor, days_beside_refused_ones, abandoned_runs]


def _intervals() -> dict[str, dt.timedelta]:
    """Return the time between two looks of each sensor, by name."""
    return {
        sensor.name: dt.timedelta(seconds=sensor.minimum_interval_seconds or 30)
        for sensor in _SENSORS
    }


def build_definitions(settings: DataPlatformConfig) -> dg.Definitions:
    """Make the definitions for the engine and folders that the settings name.

    Raises:
        TransformationError: dbt cannot parse its project.
    """
    warehouse = choose_warehouse(settings)
    prepared = prepare_manifest(
        {**warehouse.dbt_environment(), **settings.dbt_environment}, settings.dbt_cache
    )
    resources = build_resources(settings)
    io_manager = ParquetIOManager(platform=resources["platform"])
    dates = business_dates(settings.first_as_of_date, settings.backfill_days_per_run)
    return dg.Definitions(
        assets=[
            build_delivery_assets(dates),
            DELIVERY_APPROVALS,
            build_dbt_assets(prepared, dates),
            build_month_end_assets(prepared, monthly_partitions(settings.first_as_of_date)),
            build_output_assets(dates),
            expired_data,
            *([build_serving_asset(dates)] if warehouse.serves_readers else []),
        ],
        jobs=[process_delivery, publish_outputs, close_month, drop_expired_data],
        schedules=[daily_delivery_schedule, weekly_expiry_schedule],
        sensors=[*_SENSORS, build_alerts_sensor(settings, _intervals())],
        resources={**resources, "parquet_io_manager": io_manager},
        loggers={"console": dg.colored_console_logger, PROGRESS: progress_logger},
        executor=dg.in_process_executor,
    )
