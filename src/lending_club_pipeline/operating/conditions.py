"""Find the open alerts. Pure: the caller passes the facts.

Labels identify an alert, so that the same fault stays one alert, whichever run finds it again. Run,
cause and remedy are annotations.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from lending_club_pipeline.operating.facts import CheckState, FinishedRun, Observed, WatcherState
from lending_club_pipeline.runs.overview import SETTLED, DayOverview, Overview

# The kind decides the receivers: deploy/alertmanager/alertmanager.yml.
Kind = Literal["failure", "quality", "service"]
Severity = Literal["critical", "warning"]

# All alerts of `find_alerts`, in the order of docs/operations.md.
ALERT_NAMES: Final = (
    *("RunFailed", "DeliveryRefused", "DeliveryHeld", "DeliveryLate"),
    *("CheckFailed", "WatcherFailing", "DaemonSilent"),
)
# Older failures without a follow-up raise no alert.
REMEMBERED: Final = dt.timedelta(days=7)
_SILENT: Final = dt.timedelta(minutes=3)
_TICKS_MISSED: Final = 10
_LEAST_SILENCE: Final = dt.timedelta(minutes=10)


@dataclass(frozen=True)
class Alert:
    """A problem that people must know.

    Attributes:
        name: its name, as in docs/operations.md.
        kind: `failure`, `quality` or `service`: decides the receivers.
        severity: `critical` stops deliveries; `warning` does not.
        about: labels that separate it from alerts of the same name, such as a business date.
        summary: the problem, in one line.
        remedy: what to do.
        run_id: Dagster's id of the run that found it, if one did.
        since: when it began, if that is known.
    """

    name: str
    kind: Kind
    severity: Severity
    about: Mapping[str, str]
    summary: str
    remedy: str
    run_id: str = ""
    since: dt.datetime | None = None

    @property
    def labels(self) -> dict[str, str]:
        """Labels that identify the alert."""
        return {
            "alertname": self.name,
            "kind": self.kind,
            "severity": self.severity,
            "service": "lending-club",
            **self.about,
        }

    def link(self, dagster_url: str) -> str:
        """Return the address of the run that found it, or of Dagster's first page."""
        return f"{dagster_url}/runs/{self.run_id}" if self.run_id else dagster_url


def find_alerts(observed: Observed) -> list[Alert]:
    """Return the open alerts, each once.

    Args:
        observed: the facts.
    """
    failed = _still_failed(observed)
    alerts = [*_of_days(observed.days), *map(_of_run, failed)]
    told = {alert.about.get("as_of_date") for alert in alerts}
    alerts += (it for it in _late(observed) if it.about["as_of_date"] not in told)
    alerts += _of_checks(observed.checks, {run.run_id for run in failed})
    alerts += _of_watchers(observed)
    alerts += _of_daemons(observed)
    unique = {tuple(sorted(alert.labels.items())): alert for alert in reversed(alerts)}
    return list(reversed(unique.values()))


def _still_failed(observed: Observed) -> list[FinishedRun]:
    return [
        run
        for run in observed.runs
        if run.outcome != "success"
        and observed.now - run.ended_at < REMEMBERED
        and (run.as_of_date is None or (run.run_id, run.as_of_date) not in observed.settled)
    ]


def settled(runs: Sequence[FinishedRun], days: Sequence[DayOverview]) -> set[tuple[str, dt.date]]:
    """Return the failures that were settled by other means than a run that Dagster knows.

    The warehouse and the inputs show when a refused or held delivery is settled: it may have been
    removed, which starts no run. Any other failure is settled when another run has built or
    published its date since.

    Args:
        runs: the newest finished run of each job and date.
        days: status of each business date.

    Returns:
        Ids of runs, with the date.
    """
    by_date = {day.as_of_date: day for day in days}
    return {
        (run.run_id, run.as_of_date)
        for run in runs
        if run.as_of_date in by_date and _is_settled(run, by_date[run.as_of_date])
    }


def _is_settled(run: FinishedRun, day: DayOverview) -> bool:
    if run.outcome in ("refused", "held"):
        return day.standing != run.outcome and day.standing in {*SETTLED, "new", "missing"}
    # The warehouse keeps times in UTC, without a zone.
    times = [at.replace(tzinfo=dt.UTC) for at in (day.built_at, day.published_at) if at]
    return day.standing in SETTLED and run.run_id != day.run_id and max(times) > run.ended_at


def _of_days(days: Sequence[DayOverview]) -> Iterator[Alert]:
    for day in days:
        if day.standing == "refused":
            yield _refused(day.as_of_date, day.message, day.run_id)
        elif day.standing == "held":
            yield _held(day.as_of_date, "", day.run_id)


def _of_run(run: FinishedRun) -> Alert:
    date = run.as_of_date
    if date is not None and run.outcome == "refused":
        return _refused(date, run.message, run.run_id, run.ended_at)
    if date is not None and run.outcome == "held":
        return _held(date, run.message, run.run_id, run.ended_at)
    about = {"job": run.job} | ({} if date is None else {"as_of_date": date.isoformat()})
    return Alert(
        "RunFailed",
        "failure",
        "critical",
        about,
        run.message,
        "Correct the cause in the message, and run again. The published outputs are unchanged.",
        run.run_id,
        run.ended_at,
    )


def _refused(date: dt.date, why: str, run_id: str, since: dt.datetime | None = None) -> Alert:
    return Alert(
        "DeliveryRefused",
        "failure",
        "critical",
        {"as_of_date": date.isoformat()},
        why,
        "Let the sender deliver again. Nothing of this delivery was processed.",
        run_id,
        since,
    )


def _held(date: dt.date, why: str, run_id: str, since: dt.datetime | None = None) -> Alert:
    return Alert(
        "DeliveryHeld",
        "quality",
        "critical",
        {"as_of_date": date.isoformat()},
        why or f"The delivery of {date} moved further than MOVEMENT_LIMITS allows and is held.",
        f"Look at held-{date}.html in the outputs; if the delivery is right: "
        f'lending-club approve {date} --reason "…", and run that date again.',
        run_id,
        since,
    )


def _late(observed: Observed) -> Iterator[Alert]:
    standing = {day.as_of_date: day.standing for day in observed.days}
    first = observed.now.date() - REMEMBERED
    for date in observed.due:
        if date < first or date in observed.done or standing.get(date) in {*SETTLED, "held"}:
            continue
        is_there = standing.get(date) not in (None, "missing")
        yield Alert(
            "DeliveryLate",
            "failure",
            "critical",
            {"as_of_date": date.isoformat()},
            f"DELIVERY_DEADLINE has passed, and the delivery of {date} is not processed"
            + (": its files are there." if is_there else "."),
            f"Run it: lending-club run --as-of {date}. If there is none, ask the sender; if none "
            "is due, add the day to DELIVERY_HOLIDAYS.",
        )


def _of_checks(checks: Sequence[CheckState], failed_runs: Collection[str]) -> Iterator[Alert]:
    for check in checks:
        # The alert of the run names checks that stopped it.
        if check.passed or (check.run_id and check.run_id in failed_runs):
            continue
        rows = "" if check.failing_rows is None else f" Rows: {check.failing_rows:,}."
        what = check.description or "It did not pass."
        yield Alert(
            "CheckFailed",
            "quality",
            "critical" if check.is_blocking else "warning",
            {"asset": check.asset, "check": check.name},
            f"Check {check.name} of {check.asset} failed: {what}{rows}",
            "Look at the check in Dagster and at quarantine.csv; tell the sender what to correct.",
            check.run_id,
        )


def _of_watchers(observed: Observed) -> Iterator[Alert]:
    for watcher in observed.watchers:
        if watcher.error:
            what = f"{watcher.name} failed at its last tick: {watcher.error}"
        elif silence := _silence(watcher, observed.now):
            what = f"{watcher.name} is switched on, but had no tick for {silence}."
        else:
            continue
        yield Alert(
            "WatcherFailing",
            "service",
            "critical",
            {"watcher": watcher.name},
            what,
            "Look at its ticks in Dagster (Automation). New deliveries may not be noticed.",
        )


def _silence(watcher: WatcherState, now: dt.datetime) -> dt.timedelta | None:
    if watcher.looked_at is None or watcher.interval is None:
        return None
    silence = now - watcher.looked_at
    most = max(watcher.interval * _TICKS_MISSED, _LEAST_SILENCE)
    return dt.timedelta(seconds=round(silence.total_seconds())) if silence > most else None


def _of_daemons(observed: Observed) -> Iterator[Alert]:
    for name, seen_at in observed.daemons.items():
        if observed.now - seen_at > _SILENT:
            yield Alert(
                "DaemonSilent",
                "service",
                "critical",
                {"daemon": name},
                f"Dagster's daemon {name} was seen last at {seen_at:%Y-%m-%d %H:%M:%S} UTC.",
                "Start dagster-daemon again; until then no schedule, sensor or queue works.",
            )


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
