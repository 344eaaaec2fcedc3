"""Results: of a run, of a business date, and of a command."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from lending_club_pipeline.contract.locations import Location
from lending_club_pipeline.reconcile.ledger import DeliveryLedger
from lending_club_pipeline.runs.plan import WhySkipped

Outcome = Literal["success", "failed", "refused", "held"]
DayOutcome = Literal["success", "unchanged", "refused", "failed", "held", "missing", "expired"]


@dataclass(frozen=True)
class RunReport:
    """Result of a run.

    Attributes:
        run_id: Dagster's id of the run, which finds its logs.
        outcome: how it ended.
        message: what went wrong, in one line; empty after a success.
        ledgers: the ledgers of the deliveries that were processed, by business date.
        written: the files that were published.
        published: business date of the delivery that was published.
        stopped_by: the deliveries that stopped the run, if any: messages by date.
        open_ledgers: the ledgers that do not close and failed the run, by business date.
        left_alone: dates that another run processed meanwhile, with their outcomes.
    """

    run_id: str
    outcome: Outcome
    message: str
    ledgers: Mapping[dt.date, DeliveryLedger] = field(default_factory=dict)
    written: tuple[Location, ...] = ()
    published: dt.date | None = None
    stopped_by: Mapping[dt.date, str] = field(default_factory=dict)
    open_ledgers: Mapping[dt.date, DeliveryLedger] = field(default_factory=dict)
    left_alone: Mapping[dt.date, WhySkipped] = field(default_factory=dict)

    @property
    def ledger(self) -> DeliveryLedger | None:
        """The ledger of a run of one delivery, if it was processed."""
        return next(iter(self.ledgers.values()), None)


@dataclass(frozen=True)
class DayReport:
    """Result of one date.

    Attributes:
        as_of_date: the business date.
        outcome: how it ended; `missing` if there is no delivery.
        message: what went wrong, in one line; empty otherwise.
        ledger: the ledger of the delivery, if it is processed or does not close.
        run_id: Dagster's id of its run, or empty.
    """

    as_of_date: dt.date
    outcome: DayOutcome
    message: str = ""
    ledger: DeliveryLedger | None = None
    run_id: str = ""


@dataclass(frozen=True)
class CommandReport:
    """Results of all dates of a command, oldest first.

    Attributes:
        days: result of each date.
        written: the files that were published in the end.
        published: business date of the published delivery, if any.
    """

    days: tuple[DayReport, ...]
    written: tuple[Location, ...] = ()
    published: dt.date | None = None

    @property
    def outcomes(self) -> set[DayOutcome]:
        """Outcomes of its days."""
        return {day.outcome for day in self.days}
