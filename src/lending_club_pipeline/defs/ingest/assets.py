"""customers_raw, accounts_raw, rejected_records and delivered_files."""

import datetime as dt
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import dagster as dg

from lending_club_pipeline.config import clock
from lending_club_pipeline.config.clock import Today
from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.errors import ConfigurationError, RefusedDeliveryError
from lending_club_pipeline.contract.source_files import ACCOUNTS, CONTROL, CUSTOMERS
from lending_club_pipeline.defs.checks import check_result, key_of
from lending_club_pipeline.defs.failures import shown_in_one_line
from lending_club_pipeline.defs.ingest.results import (
    LandedDay,
    accounted_for,
    delivered_of,
    ended,
    materialized,
    rejected_of,
    summed,
)
from lending_club_pipeline.defs.ingest.specs import (
    CUT_OFF_CHECK,
    CUT_OFF_DESCRIPTION,
    DELIVERED_FILES,
    LINES_CHECK,
    LINES_CHECK_DESCRIPTION,
    REJECTED_RECORDS,
    raw_spec,
)
from lending_club_pipeline.defs.intents import intent_of
from lending_club_pipeline.defs.partitions import BusinessDates, dates_of
from lending_club_pipeline.defs.progress import show_progress
from lending_club_pipeline.defs.resources import Settings, WarehouseResource
from lending_club_pipeline.ingest.deliveries.delivered_files import (
    describe,
    described_again,
    looks_like,
)
from lending_club_pipeline.ingest.deliveries.delivery_folders import Delivery
from lending_club_pipeline.ingest.deliveries.discovery import no_delivery_between
from lending_club_pipeline.ingest.landed_files import landed_folder
from lending_club_pipeline.ingest.landing import SplitterLimits, land
from lending_club_pipeline.reconcile.checks import record_checks
from lending_club_pipeline.runs.day_journal import DayJournal
from lending_club_pipeline.runs.plan import Process, Skip, Step, interrupted, plan
from lending_club_pipeline.runs.survey import (
    Survey,
    policy_of,
    refuse_other_source,
    source_of,
    survey,
)
from lending_club_pipeline.warehouse import Warehouse

_CHECKS: Final = {LINES_CHECK: LINES_CHECK_DESCRIPTION, CUT_OFF_CHECK: CUT_OFF_DESCRIPTION}
# Metadata of a skipped date: the reason.
LEFT_ALONE: Final = "left_alone"


def build_delivery_assets(days: BusinessDates) -> dg.AssetsDefinition:
    """Make the assets of the landed files.

    Args:
        days: the business dates.
    """

    @dg.multi_asset(
        name="delivery",
        specs=[raw_spec(CUSTOMERS), raw_spec(ACCOUNTS), REJECTED_RECORDS, DELIVERED_FILES],
        check_specs=[
            dg.AssetCheckSpec(
                name,
                asset=f"{source.table}_raw",
                blocking=name == LINES_CHECK,
                description=description,
            )
            for source in (CUSTOMERS, ACCOUNTS)
            for name, description in _CHECKS.items()
        ],
        # Required, so that skipped deliveries need no check results.
        can_subset=True,
        partitions_def=days.partitions,
        backfill_policy=days.backfill_policy,
    )
    def delivery(
        context: dg.AssetExecutionContext, settings: Settings, warehouse: WarehouseResource
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        """Land the deliveries of the run's dates, both files of each or none.

        A single date without a delivery is refused; a run of several dates skips it.

        Raises:
            RefusedDeliveryError: a delivery is missing, broken or incomplete.
        """
        with shown_in_one_line():
            landed = _land_all(context, settings, warehouse)
        for result in _results(context, landed):
            if result.asset_key in context.selected_asset_keys:
                yield result
        for check in _line_checks(landed):
            if key_of(check) in context.selected_asset_check_keys:
                yield check

    return delivery


def _results(
    context: dg.AssetExecutionContext, landed: Sequence[LandedDay]
) -> Iterator[dg.MaterializeResult]:
    for source in (CUSTOMERS, ACCOUNTS):
        files = [(day, file) for day in landed for file in day.files_of(source)]
        yield materialized(context, source, files)
    yield summed(context, "rejected_records", landed, rejected_of)
    yield summed(context, "delivered_files", landed, delivered_of)


def _line_checks(landed: Sequence[LandedDay]) -> Iterator[dg.AssetCheckResult]:
    """Check the files that were landed now, if any."""
    for source in (CUSTOMERS, ACCOUNTS) if landed else ():
        yield accounted_for(source, [file for day in landed for file in day.files_of(source)])
        yield ended(source, landed)


def _land_all(
    context: dg.AssetExecutionContext, settings: DataPlatformConfig, resource: WarehouseResource
) -> list[LandedDay]:
    """Land requested deliveries that are new, and deliveries that an interrupted build needs."""
    warehouse = resource.warehouse
    dates, today, intent = dates_of(context), settings.today(), intent_of(context.run.tags)
    if not dates:
        raise ConfigurationError(
            "This run has no partition, so that its business date is unknown. Launch "
            "it again for a partition (a date), or for a range of them."
        )
    journal = resource.journal(context.run.run_id)
    refuse_other_source(settings, journal.days, today)
    seen = survey(settings, dates, journal.days, today, takes_undated=intent.names_a_date)
    policy = replace(policy_of(settings), force=intent.force, lands_expired=intent.names_a_date)
    steps = plan(dates, seen.found, journal.days, policy)
    todo = [date for step in steps if isinstance(step, Process) for date in step.dates]
    others = _unlanded(settings, journal, today, sorted(interrupted(journal.days) - set(dates)))
    landed, descriptions = [], {}
    journal.begin_landing(todo)
    for delivery in [*others, *(seen.deliveries[date] for date in todo if date in seen.deliveries)]:
        try:
            day = _land(context, settings, warehouse, delivery, loads_again=intent.loads_again)
        except RefusedDeliveryError as error:
            seen.refusals[delivery.as_of_date] = error
            continue
        landed.append(day)
        checksums = {file.source_file: file.sha256 for file in day.landed.files}
        if day.landed.control is not None:
            checksums[CONTROL.name] = day.landed.control.sha256
        descriptions[delivery.as_of_date] = describe(delivery, checksums)
    unchanged = _left_alone(steps, seen, journal)
    journal.land(source_of(settings), descriptions)
    journal.recognize(unchanged)
    journal.refuse(
        source_of(settings),
        {date: (seen.identities.get(date, ""), str(it)) for date, it in seen.refusals.items()},
    )
    _refuse_if_any(seen.refusals, len(landed) + len(unchanged))
    left = [step.as_of_date for step in steps if isinstance(step, Skip) and step.why != "missing"]
    _record_skipped(context, steps)
    if not landed and not left:
        raise no_delivery_between(settings.deliveries.input_path, dates[0], dates[-1])
    _warn_of_missing(context, [date for date in dates if date not in left], landed)
    record_checks(
        warehouse,
        [day.landed.as_of_date for day in landed],
        [check_result(it) for it in _line_checks(landed)],
        keeps_others=False,
    )
    return landed


def _land(
    context: dg.AssetExecutionContext,
    settings: DataPlatformConfig,
    warehouse: Warehouse,
    delivery: Delivery,
    *,
    loads_again: bool,
) -> LandedDay:
    show_progress(f"Delivery of {delivery.as_of_date} in {delivery.folder}")
    started = time.monotonic()
    day = land(
        delivery,
        settings.landing,
        SplitterLimits(settings.engine.memory_bytes, settings.duckdb.threads),
        clock.now().replace(tzinfo=None),
        show_progress,
    )
    warehouse.load_raw(settings.landing, day.as_of_date, force=loads_again)
    state = "unchanged since it was landed" if day.is_unchanged else "landed"
    context.log.info(f"Delivery of {day.as_of_date} in {delivery.folder}: {state}")
    return LandedDay(day, round(time.monotonic() - started, 3))


def _unlanded(
    settings: DataPlatformConfig, journal: DayJournal, today: Today, dates: Sequence[dt.date]
) -> list[Delivery]:
    """Find the deliveries of interrupted builds that are not landed on this machine."""
    missing = [date for date in dates if not landed_folder(settings.landing, date).exists()]
    seen = survey(settings, missing, journal.days, today)
    # A delivery that changed since needs its own run.
    return [
        seen.deliveries[date]
        for date, found in seen.found.items()
        if found.is_as_landed and date in seen.deliveries
    ]


def _left_alone(steps: Sequence[Step], seen: Survey, journal: DayJournal) -> dict[dt.date, str]:
    """Describe touched but unchanged files, so that later runs do not read them."""
    unchanged = [it.as_of_date for it in steps if isinstance(it, Skip) and it.why == "unchanged"]
    return {
        date: described_again(seen.deliveries[date], journal.days[date].files)
        for date in unchanged
        if not looks_like(seen.deliveries[date], journal.days[date].files)
    }


def _record_skipped(context: dg.AssetExecutionContext, steps: Sequence[Step]) -> None:
    """Record the skipped dates, also on their partitions in Dagster."""
    for step in steps:
        if isinstance(step, Skip) and step.why != "missing":
            context.log.info(f"Delivery of {step.as_of_date}: {step.why}, left alone.")
            for key in context.selected_asset_keys:
                context.add_asset_metadata(
                    {LEFT_ALONE: step.why},
                    asset_key=key,
                    partition_key=step.as_of_date.isoformat(),
                )


def _refuse_if_any(refusals: Mapping[dt.date, RefusedDeliveryError], accepted: int) -> None:
    """Refuse a run of several dates as a whole: in Dagster single dates cannot fail."""
    if not refusals:
        return
    first = refusals[min(refusals)]
    if len(refusals) == 1 and not accepted:
        raise first
    raise RefusedDeliveryError(
        first.code,
        first.place,
        f"{len(refusals)} of {len(refusals) + accepted} deliveries of this run are refused, here: "
        f"{first.problem}",
        f"{first.remedy}. The others are landed: run them without these dates "
        "(`lending-club run --from --to` does so by itself)",
        {date: str(error) for date, error in refusals.items()},
    )


def _warn_of_missing(
    context: dg.AssetExecutionContext, dates: Sequence[dt.date], landed: Sequence[LandedDay]
) -> None:
    """Record the dates without a delivery, also on their partitions in Dagster."""
    known = {day.landed.as_of_date for day in landed}
    missing = [date.isoformat() for date in dates if date not in known]
    if missing:
        context.log.warning(f"There is no delivery of {', '.join(missing)}: left out.")
    for date in missing:
        for key in context.selected_asset_keys:
            context.add_asset_metadata(
                {"dagster/row_count": 0, "has_delivery": False}, asset_key=key, partition_key=date
            )
