"""Plan a command: its dates, the deliveries in the inputs, the states, and the steps."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lending_club_pipeline.config.calendars import days_between
from lending_club_pipeline.config.clock import Today
from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.errors import RefusedDeliveryError, WarehouseError
from lending_club_pipeline.ingest.deliveries.discovery import (
    date_to_process,
    dates_with_delivery,
    no_delivery_between,
)
from lending_club_pipeline.reconcile.ledger import DeliveryLedger, read_ledgers
from lending_club_pipeline.runs.day_states import DayState, read_days
from lending_club_pipeline.runs.plan import (
    Policy,
    Process,
    Refuse,
    Skip,
    Step,
    plan,
    plan_publication,
    published_last,
)
from lending_club_pipeline.runs.publication import are_published
from lending_club_pipeline.runs.survey import policy_of, refuse_other_source, survey
from lending_club_pipeline.storage.inputs import inputs_of
from lending_club_pipeline.storage.outputs import outputs_of
from lending_club_pipeline.warehouse import choose_warehouse


@dataclass(frozen=True)
class Request:
    """The dates that a command asks for.

    Attributes:
        as_of: one business date.
        first: first date of a range.
        last: last date of a range.
        force: process unchanged and expired dates, too.
    """

    as_of: dt.date | None = None
    first: dt.date | None = None
    last: dt.date | None = None
    force: bool = False


@dataclass(frozen=True)
class Outlook:
    """The plan of a command, and the states behind it.

    Attributes:
        steps: the plan.
        days: states by date.
        ledgers: ledgers of the unchanged dates, which are skipped.
    """

    steps: Sequence[Step]
    days: Mapping[dt.date, DayState]
    ledgers: Mapping[dt.date, DeliveryLedger]

    @property
    def published(self) -> dt.date | None:
        """The delivery that was published last."""
        last = published_last(self.days)
        return None if last is None else last.as_of_date


def look_ahead(settings: DataPlatformConfig, request: Request, today: Today) -> Outlook:
    """Plan a request, with one session of the warehouse.

    Args:
        settings: the project's settings.
        request: the dates of the command.
        today: the current business date.

    Raises:
        RefusedDeliveryError: there is no delivery in the range, or no folder of deliveries.
        ConfigurationError: the database belongs to other deliveries.
    """
    dates = _dates(settings, request, today)
    policy = replace(
        policy_of(settings), force=request.force, lands_expired=request.as_of is not None
    )
    warehouse = choose_warehouse(settings)
    days: dict[dt.date, DayState] = {}
    ledgers: dict[dt.date, DeliveryLedger] = {}
    steps: list[Step] = []
    try:
        with warehouse.session(read_only=True):
            days = read_days(warehouse)
            steps = _planned(settings, dates, days, policy, today, request)
            unchanged = [
                step.as_of_date
                for step in steps
                if isinstance(step, Skip) and step.why == "unchanged"
            ]
            ledgers = read_ledgers(warehouse, unchanged)
    except WarehouseError:
        # There is no database yet, or the run itself reports the problem or waits for another run.
        steps = _planned(settings, dates, {}, policy, today, request)
    return Outlook(steps, days, ledgers)


def _dates(settings: DataPlatformConfig, request: Request, today: Today) -> list[dt.date]:
    if request.first is None:
        return [request.as_of or date_of_delivery(settings, today)]
    last = request.last or today.date
    dates = dates_with_delivery(inputs_of(settings), request.first, last, today)
    if not dates:
        raise no_delivery_between(settings.deliveries.input_path, request.first, last)
    return days_between(dates[0], dates[-1])


def date_of_delivery(settings: DataPlatformConfig, today: Today) -> dt.date:
    """Return the business date of the delivery to process if the command names none.

    Without a folder of deliveries it is today: its run then reports and records the problem.
    """
    try:
        return date_to_process(inputs_of(settings), today)
    except RefusedDeliveryError:
        return today.date


def _planned(
    settings: DataPlatformConfig,
    dates: Sequence[dt.date],
    days: Mapping[dt.date, DayState],
    policy: Policy,
    today: Today,
    request: Request,
) -> list[Step]:
    refuse_other_source(settings, days, today)
    takes_undated = request.as_of is not None
    seen = survey(settings, dates, days, today, takes_undated=takes_undated)
    steps = plan(dates, seen.found, days, policy)
    if request.first is None:
        # Run a single date even if it is refused, so that the refusal is recorded.
        steps = [Process((dates[0],)) if _is_refused(step) else step for step in steps]
    outputs = outputs_of(settings)
    serves = settings.engine.database_type == "databricks"
    return plan_publication(
        steps, days, are_published=lambda: are_published(outputs, days, serves_readers=serves)
    )


def _is_refused(step: Step) -> bool:
    return isinstance(step, Refuse) or (isinstance(step, Skip) and step.why == "missing")
