"""customers_raw, accounts_raw and what stands beside them."""

import datetime as dt
import time
from collections.abc import Iterator, Sequence

import dagster as dg

from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.errors import RefusedDeliveryError
from lending_club_pipeline.contract.source_files import ACCOUNTS, CUSTOMERS
from lending_club_pipeline.defs.ingest.results import (
    LandedDay,
    accounted_for,
    delivered_of,
    materialized,
    rejected_of,
    summed,
)
from lending_club_pipeline.defs.ingest.specs import (
    DELIVERED_FILES,
    LINES_CHECK,
    LINES_CHECK_DESCRIPTION,
    REJECTED_RECORDS,
    raw_spec,
)
from lending_club_pipeline.defs.partitions import BusinessDates, dates_of
from lending_club_pipeline.defs.progress import show_progress
from lending_club_pipeline.defs.resources import PlatformResource, WarehouseResource
from lending_club_pipeline.ingest.deliveries.discovery import (
    find_deliveries,
    find_delivery,
    no_delivery_between,
    today_utc,
)
from lending_club_pipeline.ingest.landing import SplitterLimits, land
from lending_club_pipeline.warehouse import Warehouse


def build_delivery_assets(days: BusinessDates) -> dg.AssetsDefinition:
    """Make the assets of what arrives.

    Args:
        days: the business dates.
    """

    @dg.multi_asset(
        name="delivery",
        specs=[raw_spec(CUSTOMERS), raw_spec(ACCOUNTS), REJECTED_RECORDS, DELIVERED_FILES],
        check_specs=[
            dg.AssetCheckSpec(
                LINES_CHECK,
                asset=f"{source.table}_raw",
                blocking=True,
                description=LINES_CHECK_DESCRIPTION,
            )
            for source in (CUSTOMERS, ACCOUNTS)
        ],
        partitions_def=days.partitions,
        backfill_policy=days.backfill_policy,
    )
    def delivery(
        context: dg.AssetExecutionContext, platform: PlatformResource, warehouse: WarehouseResource
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        """Land the deliveries of the run's dates, both files of each or none.

        A single date without a delivery is refused; among several it is left out.

        Raises:
            RefusedDeliveryError: a delivery is missing, broken or not whole.
        """
        landed = _land_all(context, platform.settings, warehouse.warehouse)
        for source in (CUSTOMERS, ACCOUNTS):
            files = [(day, file) for day in landed for file in day.files_of(source)]
            yield materialized(context, source, files)
            yield accounted_for(source, [file for _, file in files])
        yield summed(context, "rejected_records", landed, rejected_of)
        yield summed(context, "delivered_files", landed, delivered_of)

    return delivery


def _land_all(
    context: dg.AssetExecutionContext, settings: DataPlatformConfig, warehouse: Warehouse
) -> list[LandedDay]:
    dates = dates_of(context)
    if len(dates) == 1:
        found = [find_delivery(settings.input_path, dates[0], today_utc())]
        refused: list[RefusedDeliveryError] = []
    else:
        found, refused = find_deliveries(settings.input_path, dates, today_utc())
    landed = []
    for delivery in found:
        show_progress(f"Delivery of {delivery.as_of_date} in {delivery.folder}")
        started = time.monotonic()
        try:
            day = land(
                delivery,
                settings.landing,
                SplitterLimits(settings.engine_memory_bytes, settings.duckdb_threads),
                dt.datetime.now(dt.UTC).replace(tzinfo=None),
                show_progress,
            )
        except RefusedDeliveryError as error:
            refused.append(error)
            continue
        warehouse.load_raw(settings.landing, day.as_of_date)
        landed.append(LandedDay(day, round(time.monotonic() - started, 3)))
        state = "unchanged since it was landed" if day.is_unchanged else "landed"
        context.log.info(f"Delivery of {day.as_of_date} in {delivery.folder}: {state}")
    _refuse_if_any(refused, len(landed))
    if not landed:
        raise no_delivery_between(settings.input_path, dates[0], dates[-1])
    _warn_of_missing(context, dates, landed)
    return landed


def _refuse_if_any(refused: Sequence[RefusedDeliveryError], landed: int) -> None:
    """Refuse a run of several dates as a whole: Dagster knows no dates that failed alone."""
    if not refused:
        return
    if len(refused) == 1 and not landed:
        raise refused[0]
    first = refused[0]
    raise RefusedDeliveryError(
        first.code,
        first.place,
        f"{len(refused)} of {len(refused) + landed} deliveries of this run are refused, here: "
        f"{first.problem}",
        f"{first.remedy}. The others are landed: run them without these dates "
        "(`lending-club run --from --to` does so by itself)",
    )


def _warn_of_missing(
    context: dg.AssetExecutionContext, dates: Sequence[dt.date], landed: Sequence[LandedDay]
) -> None:
    """Say of which dates there is no delivery, also in what Dagster keeps of their partitions."""
    known = {day.landed.as_of_date for day in landed}
    missing = [date.isoformat() for date in dates if date not in known]
    if missing:
        context.log.warning(f"No delivery lies there of {', '.join(missing)}: left out.")
    for date in missing:
        for key in context.selected_asset_keys:
            context.add_asset_metadata(
                {"dagster/row_count": 0, "has_delivery": False}, asset_key=key, partition_key=date
            )
