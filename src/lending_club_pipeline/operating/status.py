"""Status of the pipeline, for operators."""

from collections.abc import Sequence
from dataclasses import dataclass

from lending_club_pipeline.operating.conditions import Alert
from lending_club_pipeline.runs.overview import Overview


@dataclass(frozen=True)
class Status:
    """Status of the pipeline.

    Attributes:
        seen: status of the business dates.
        alerts: the open alerts.
        notes: facts that could not be read, with the reason.
        dagster_url: address of Dagster's pages.
    """

    seen: Overview
    alerts: Sequence[Alert]
    notes: Sequence[str]
    dagster_url: str

    @property
    def is_critical(self) -> bool:
        """Whether a problem stops deliveries."""
        return any(alert.severity == "critical" for alert in self.alerts)
