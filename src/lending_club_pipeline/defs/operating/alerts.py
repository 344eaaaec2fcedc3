"""The sensor `alerts`: sends the open alerts to Alertmanager, and ends those that are over."""

import datetime as dt
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import dagster as dg

from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.errors import WarehouseError
from lending_club_pipeline.defs.jobs import JOB_NAME
from lending_club_pipeline.defs.operating.state import (
    check_states,
    daemon_heartbeats,
    finished_runs,
    processed_dates,
    watcher_states,
)
from lending_club_pipeline.operating.alertmanager import Posted, post, to_post
from lending_club_pipeline.operating.conditions import REMEMBERED, find_alerts, settled
from lending_club_pipeline.operating.facts import Observed
from lending_club_pipeline.runs.overview import business_now, days_due, look_at_days

_SECONDS: Final = 15
# A query keeps a SQL warehouse awake, which is paid by the minute.
_ASKED_AGAIN: Final = {"duckdb": dt.timedelta(minutes=1), "databricks": dt.timedelta(minutes=15)}


@dataclass(frozen=True)
class _Memory:
    """State of the sensor between two ticks.

    Attributes:
        posted: the alerts that were sent last.
        question: the dates of the last query of the warehouse.
        asked_at: time of that query, as ISO text.
        settled: failed runs, with a date, that are settled according to the warehouse.
        late: dates that are due and not processed, according to the warehouse.
    """

    posted: tuple[Posted, ...] = ()
    question: str = ""
    asked_at: str = ""
    settled: tuple[tuple[str, str], ...] = ()
    late: tuple[str, ...] = ()

    @classmethod
    def read(cls, cursor: str | None) -> "_Memory":
        kept: dict[str, Any] = json.loads(cursor) if cursor else {}
        return cls(
            tuple(Posted(**it) for it in kept.get("posted", ())),
            kept.get("question", ""),
            kept.get("asked_at", ""),
            tuple((run_id, date) for run_id, date in kept.get("settled", ())),
            tuple(kept.get("late", ())),
        )

    def written(self) -> str:
        return json.dumps(asdict(self))


def build_alerts_sensor(
    settings: DataPlatformConfig, intervals: Mapping[str, dt.timedelta]
) -> dg.SensorDefinition:
    """Make the sensor that sends alerts to Alertmanager. It is on if `ALERTMANAGER_URL` is set.

    Args:
        settings: the project's settings.
        intervals: time between two looks of each sensor, by name.
    """
    is_on = settings.operating.alertmanager_url is not None

    @dg.sensor(
        name="alerts",
        minimum_interval_seconds=_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING if is_on else dg.DefaultSensorStatus.STOPPED,
    )
    def alerts(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        """Send the open alerts to Alertmanager, and end those that are over.

        Sent alerts are remembered only after Alertmanager accepted them; an alert that is sent
        again stays the same alert. The warehouse is queried only if a date seems to have a problem.
        """
        if settings.operating.alertmanager_url is None:
            return dg.SensorResult(skip_reason="ALERTMANAGER_URL is not set: no alerts are sent.")
        memory = _Memory.read(context.cursor)
        observed = _observe(context, settings, intervals)
        memory, observed = _with_warehouse(settings, memory, observed)
        posted = to_post(find_alerts(observed), settings.dagster.url)
        ended = post(settings.operating.alertmanager_url, observed.now, posted, memory.posted)
        return dg.SensorResult(
            skip_reason=f"{len(posted)} alerts are open, {ended} have ended.",
            cursor=replace(memory, posted=tuple(posted)).written(),
        )

    return alerts


def _observe(
    context: dg.SensorEvaluationContext,
    settings: DataPlatformConfig,
    intervals: Mapping[str, dt.timedelta],
) -> Observed:
    now = business_now(settings)
    definitions = context.repository_def
    keys = [] if definitions is None else definitions.asset_graph.asset_check_keys
    runs = finished_runs(context.instance, now)
    return Observed(
        now,
        runs=runs,
        done=processed_dates(runs, JOB_NAME),
        checks=list(check_states(context.instance, keys)),
        watchers=list(watcher_states(context.instance, intervals)),
        daemons=daemon_heartbeats(context.instance),
    )


def _with_warehouse(
    settings: DataPlatformConfig, memory: _Memory, observed: Observed
) -> tuple[_Memory, Observed]:
    """Add facts from the warehouse, queried or remembered, about dates with a problem."""
    question = _question(settings, observed)
    if question and _may_ask(settings, memory, question, observed.now):
        # A run holds the warehouse, or there is none yet: use the remembered facts.
        with suppress(WarehouseError):
            found = look_at_days(settings, observed.now)
            over = settled(observed.runs, found.days)
            memory = replace(
                memory,
                question=question,
                asked_at=observed.now.isoformat(),
                settled=tuple(sorted((run_id, date.isoformat()) for run_id, date in over)),
                late=tuple(date.isoformat() for date in found.late),
            )
    late = map(dt.date.fromisoformat, memory.late)
    return memory, replace(
        observed,
        settled={(run_id, dt.date.fromisoformat(date)) for run_id, date in memory.settled},
        due=[date for date in late if date not in observed.done] if question else [],
    )


def _question(settings: DataPlatformConfig, observed: Observed) -> str:
    """Return the dates that have a problem according to Dagster; empty if there are none."""
    failed = [f"{it.run_id} {it.as_of_date}" for it in observed.runs if it.outcome != "success"]
    due = days_due(settings, [observed.now.date() - REMEMBERED], observed.now)
    return " ".join([*failed, *(str(date) for date in due if date not in observed.done)])


def _may_ask(
    settings: DataPlatformConfig, memory: _Memory, question: str, now: dt.datetime
) -> bool:
    if not memory.asked_at or question != memory.question:
        return True
    asked_at = dt.datetime.fromisoformat(memory.asked_at)
    return now - asked_at >= _ASKED_AGAIN[settings.engine.database_type]
