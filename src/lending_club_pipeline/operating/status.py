"""How the pipeline stands: what a person who looks after it asks first."""

from collections.abc import Sequence
from dataclasses import dataclass

from lending_club_pipeline.operating.conditions import Alert
from lending_club_pipeline.runs.overview import Overview


@dataclass(frozen=True)
class Status:
    """What a person asks for.

    Attributes:
        seen: how the business dates stand.
        alerts: the open alerts.
        notes: what could not be looked at, and why.
        dagster_url: address of Dagster's pages.
    """

    seen: Overview
    alerts: Sequence[Alert]
    notes: Sequence[str]
    dagster_url: str

    @property
    def is_critical(self) -> bool:
        """Whether something is wrong that stops deliveries."""
        return any(alert.severity == "critical" for alert in self.alerts)
