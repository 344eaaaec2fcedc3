"""The status from Dagster's history, for commands outside of Dagster."""

import datetime as dt
from dataclasses import replace

from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.errors import WarehouseLockedError
from lending_club_pipeline.defs.instance import opened_history
from lending_club_pipeline.defs.jobs import JOB_NAME
from lending_club_pipeline.defs.operating.state import (
    daemon_heartbeats,
    finished_runs,
    processed_dates,
    watcher_states,
)
from lending_club_pipeline.operating.conditions import Status, find_alerts, settled
from lending_club_pipeline.operating.facts import CheckState, Observed
from lending_club_pipeline.reconcile.checks import BLOCKING, CheckResult
from lending_club_pipeline.runs.overview import (
    Overview,
    business_now,
    look_at_days,
    look_without_warehouse,
)


def find_status(settings: DataPlatformConfig) -> Status:
    """Find the status of the business dates and the open problems.

    Args:
        settings: the project's settings.

    Raises:
        WarehouseError: the warehouse cannot be read, for another reason than a run that has it.
        OutputError: Dagster's history cannot be read.
    """
    now = business_now(settings)
    notes = []
    seen = Overview([])
    if settings.engine.database_type == "duckdb" and not settings.duckdb.path.exists():
        seen = look_without_warehouse(settings, now)
    else:
        try:
            seen = look_at_days(settings, now)
        except WarehouseLockedError as error:
            notes.append(f"The dates could not be looked at: {error}")
    history = _observe_history(settings, now)
    observed = replace(
        history,
        days=seen.days,
        due=seen.late,
        settled=settled(history.runs, seen.days),
        checks=[_check_state(check) for check in seen.checks],
    )
    return Status(seen, find_alerts(observed), notes, settings.dagster.url)


def _check_state(check: CheckResult) -> CheckState:
    is_blocking = check.severity == BLOCKING
    return CheckState(check.asset, check.name, check.passed, is_blocking, check.description)


def _observe_history(settings: DataPlatformConfig, now: dt.datetime) -> Observed:
    """Read Dagster's history; do not create one if there is none."""
    if not (settings.dagster.home / "dagster.yaml").exists():
        return Observed(now)
    with opened_history(settings) as instance:
        watchers = list(watcher_states(instance))
        runs = finished_runs(instance, now)
        return Observed(
            now,
            runs=runs,
            done=processed_dates(runs, JOB_NAME),
            watchers=watchers,
            # Without sensors and schedules that are switched on, no daemon is needed.
            daemons=daemon_heartbeats(instance) if watchers else {},
        )
