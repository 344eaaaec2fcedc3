"""Read measurements from Dagster's storage only: no query of the warehouse, no run waits."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import dagster as dg

from lending_club_pipeline.defs.operating.state import (
    check_states,
    daemon_heartbeats,
    finished_runs,
    watcher_states,
)
from lending_club_pipeline.operating import measurements as of
from lending_club_pipeline.operating.conditions import ALERT_NAMES, REMEMBERED, find_alerts
from lending_club_pipeline.operating.facts import CheckState, Observed
from lending_club_pipeline.operating.measurements import Measurement, Sample

_PUBLICATION: Final = "account_summary_csv"
_QUARANTINE: Final = "quarantine_csv"
_NUMBERS: Final = {
    "dagster/row_count": of.ROWS,
    "size_bytes": of.SIZE,
    "duration_seconds": of.NODE_DURATION,
}
_STATUSES: Final = {
    dg.DagsterRunStatus.QUEUED: "queued",
    dg.DagsterRunStatus.NOT_STARTED: "queued",
    dg.DagsterRunStatus.STARTING: "started",
    dg.DagsterRunStatus.STARTED: "started",
    dg.DagsterRunStatus.CANCELING: "started",
}
_FINISHED: Final = {
    dg.DagsterRunStatus.SUCCESS: "success",
    dg.DagsterRunStatus.FAILURE: "failure",
    dg.DagsterRunStatus.CANCELED: "canceled",
}
# Materializations of runs without changes hold no numbers.
_LOOKED_BACK: Final = 50


@dataclass(frozen=True)
class Catalog:
    """The assets and checks to measure.

    Attributes:
        layers: layer by asset.
        checks: the checks.
    """

    layers: Mapping[dg.AssetKey, str]
    checks: Sequence[dg.AssetCheckKey]


def catalog_of(definitions: dg.Definitions) -> Catalog:
    """Return the assets and checks of some definitions."""
    graph = definitions.get_repository_def().asset_graph
    layers = {key: graph.get(key).group_name or "" for key in graph.materializable_asset_keys}
    return Catalog(layers, list(graph.asset_check_keys))


def read_samples(instance: dg.DagsterInstance, catalog: Catalog, now: dt.datetime) -> list[Sample]:
    """Read every measurement.

    Args:
        instance: Dagster's instance.
        catalog: the assets and checks.
        now: the current time.
    """
    checks = list(check_states(instance, catalog.checks))
    watchers = list(watcher_states(instance))
    finished = finished_runs(instance, now)
    observed = Observed(
        now,
        runs=finished,
        checks=checks,
        watchers=watchers,
        daemons=daemon_heartbeats(instance),
    )
    outcomes: Counter[str] = Counter(run.outcome for run in finished if run.as_of_date is not None)
    alerts = Counter(alert.name for alert in find_alerts(observed))
    return [
        *_of_assets(instance, catalog, now),
        *_of_checks(checks),
        *_of_runs(instance, now),
        *(
            Sample(of.DELIVERIES, outcomes[it], {"outcome": it})
            for it in ("success", "failed", "refused", "held")
        ),
        *(
            Sample(of.DAEMON_AGE, _seconds(now - at), {"daemon": name})
            for name, at in observed.daemons.items()
        ),
        *(
            Sample(of.WATCHER_AGE, _seconds(now - it.looked_at), {"watcher": it.name})
            for it in watchers
            if it.looked_at is not None
        ),
        *(
            Sample(of.WATCHER_FAILING, float(bool(it.error)), {"watcher": it.name})
            for it in watchers
        ),
        *(Sample(of.ALERTS, alerts[name], {"alert": name}) for name in ALERT_NAMES),
    ]


def _of_assets(
    instance: dg.DagsterInstance, catalog: Catalog, now: dt.datetime
) -> Iterator[Sample]:
    for entry in (it.asset_entry for it in instance.get_asset_records(list(catalog.layers))):
        key, newest = entry.asset_key, entry.last_materialization_record
        found = None if newest is None else _numbers(instance, key, newest)
        if found is None:
            continue
        layer = catalog.layers[key]
        made_at, metadata = found
        labels = {"asset": key.to_user_string(), "layer": layer}
        yield Sample(of.ASSET_AGE, _seconds(now - made_at), labels)
        for name, measurement in _NUMBERS.items():
            yield from _number(measurement, metadata.get(name), labels)
        if labels["asset"] == _PUBLICATION:
            yield Sample(of.PUBLICATION_AGE, _seconds(now - made_at))
            balance = metadata.get("published_balance")
            yield from _number(of.PUBLISHED_MONEY, balance, {"measure": "balance"})
        if labels["asset"] == _QUARANTINE and "reasons" in metadata:
            by_file: Any = metadata["reasons"].value
            for file, reasons in by_file.items():
                for reason, count in reasons.items():
                    about = {"source_file": file, "reason": reason}
                    yield Sample(of.QUARANTINE, float(count), about)


def _number(
    measurement: Measurement,
    value: dg.MetadataValue | None,
    labels: Mapping[str, str],
) -> Iterator[Sample]:
    number: Any = None if value is None else value.value
    if number is not None:
        yield Sample(measurement, float(number), labels)


def _numbers(
    instance: dg.DagsterInstance, key: dg.AssetKey, newest: dg.EventLogRecord
) -> tuple[dt.datetime, Mapping[str, dg.MetadataValue]] | None:
    """Return when an asset was made last, and its numbers; ignore runs that skipped it."""
    records: Sequence[dg.EventLogRecord] = [newest]
    if _was_left_alone(newest):
        records = instance.fetch_materializations(key, limit=_LOOKED_BACK).records
    for record in records:
        made = record.asset_materialization
        if made is not None and not _was_left_alone(record):
            return dt.datetime.fromtimestamp(record.timestamp, dt.UTC), made.metadata
    return None


def _was_left_alone(record: dg.EventLogRecord) -> bool:
    made = record.asset_materialization
    return made is not None and "left_alone" in made.metadata


def _of_checks(checks: Sequence[CheckState]) -> Iterator[Sample]:
    for it in checks:
        severity = "error" if it.is_blocking else "warn"
        labels = {"asset": it.asset, "check": it.name, "severity": severity}
        yield Sample(of.CHECK, float(it.passed), labels)
    if checks:
        yield Sample(of.PASSED_RATIO, sum(it.passed for it in checks) / len(checks))


def _of_runs(instance: dg.DagsterInstance, now: dt.datetime) -> Iterator[Sample]:
    records = instance.get_run_records(dg.RunsFilter(updated_after=now - REMEMBERED))
    runs = [(it.dagster_run.job_name, it.dagster_run.status) for it in records]
    waiting = Counter(_STATUSES[status] for _, status in runs if status in _STATUSES)
    yield from (Sample(of.QUEUE, waiting[it], {"status": it}) for it in ("queued", "started"))
    counts = Counter((job, _FINISHED[status]) for job, status in runs if status in _FINISHED)
    for (job, name), count in counts.items():
        yield Sample(of.RUNS, count, {"dagster_job": job, "status": name})
    for job in {job for job, _ in counts}:
        total = counts[job, "success"] + counts[job, "failure"]
        if total:
            yield Sample(of.SUCCESS_RATIO, counts[job, "success"] / total, {"dagster_job": job})
    yield from _durations(records)


def _durations(records: Sequence[dg.RunRecord]) -> Iterator[Sample]:
    seconds: dict[str, float] = {}
    # The newest one comes first.
    for record in records:
        run = record.dagster_run
        if run.is_success and record.start_time and record.end_time:
            seconds.setdefault(run.job_name, record.end_time - record.start_time)
    for job, taken in seconds.items():
        yield Sample(of.RUN_DURATION, taken, {"dagster_job": job})


def _seconds(age: dt.timedelta) -> float:
    return max(age.total_seconds(), 0.0)
