"""How runs ended: one run, one business date, and all that a command did."""

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
    """How a run ended.

    Attributes:
        run_id: Dagster's id of the run, under which its logs are found.
        outcome: how it ended.
        message: what went wrong, in one line; empty after a success.
        ledgers: the ledgers of the deliveries that were processed, by business date.
        written: the files that were published.
        published: business date of the delivery that was published.
        stopped_by: by date why it stopped the run, where single deliveries did.
        open_ledgers: the ledgers that do not close, for which it failed, by business date.
        left_alone: by date why nothing was done, where another run had done it meanwhile.
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
    """What became of one date.

    Attributes:
        as_of_date: the business date.
        outcome: how it ended; `missing` where there is no delivery.
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
    """What became of all dates that a command was about, oldest first.

    Attributes:
        days: what became of each.
        written: the files that were published in the end.
        published: business date of the delivery that is published, if anything was.
    """

    days: tuple[DayReport, ...]
    written: tuple[Location, ...] = ()
    published: dt.date | None = None

    @property
    def outcomes(self) -> set[DayOutcome]:
        """How its days ended."""
        return {day.outcome for day in self.days}
