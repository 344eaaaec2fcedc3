"""Run the job in this process as a real Dagster run: recorded, with logs, checks and metadata."""

import datetime as dt
import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import dagster as dg

from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.errors import (
    ConfigurationError,
    HeldDeliveryError,
    PipelineError,
    RefusedDeliveryError,
    WarehouseLockedError,
)
from lending_club_pipeline.defs.history import explaining_history, quick_history
from lending_club_pipeline.defs.instance import open_instance, prepare_home
from lending_club_pipeline.defs.jobs import JOB_NAME
from lending_club_pipeline.defs.progress import PROGRESS, following
from lending_club_pipeline.defs.project import build_definitions
from lending_club_pipeline.defs.run_records import PID_TAG, error_of, partition_tags
from lending_club_pipeline.files.processes import is_running, noticing_signals
from lending_club_pipeline.ingest.deliveries.discovery import refuse_future, today_utc
from lending_club_pipeline.reconcile.ledger import DeliveryLedger, read_ledger
from lending_club_pipeline.runs.finished_days import date_of_delivery, mark_finished
from lending_club_pipeline.runs.published_outputs import remember_published
from lending_club_pipeline.warehouse import choose_warehouse

Outcome = Literal["success", "failed", "refused", "held"]

_OUTCOMES: Final[dict[str, Outcome]] = {
    RefusedDeliveryError.__name__: "refused",
    HeldDeliveryError.__name__: "held",
}
_STOPPING: Final = {signal.SIGINT, signal.SIGTERM}
_HOST_TAG: Final = "lending_club/host"
_UNFINISHED: Final = (
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.CANCELING,
)


@dataclass(frozen=True)
class RunReport:
    """How a run ended.

    Attributes:
        run_id: Dagster's id of the run, under which its logs are found.
        outcome: how it ended.
        message: what went wrong, in one line; empty after a success.
        ledgers: the ledgers of the deliveries that were processed, by business date.
        written: the files that were published.
        is_locked_out: it failed because another process has the warehouse.
        open_ledgers: the ledgers that do not close, for which it failed, by business date.
    """

    run_id: str
    outcome: Outcome
    message: str
    ledgers: Mapping[dt.date, DeliveryLedger] = field(default_factory=dict)
    written: tuple[Path, ...] = ()
    is_locked_out: bool = False
    open_ledgers: Mapping[dt.date, DeliveryLedger] = field(default_factory=dict)

    @property
    def ledger(self) -> DeliveryLedger | None:
        """The ledger of a run of one delivery, if it was processed."""
        return next(iter(self.ledgers.values()), None)


def process_delivery(
    settings: DataPlatformConfig,
    as_of_date: dt.date | None,
    on_message: Callable[[str], None],
) -> RunReport:
    """Process one delivery from file to file.

    Args:
        settings: the project's settings.
        as_of_date: business date; None takes the delivery that `find_delivery` chooses.
        on_message: is told what is being done.

    Raises:
        PipelineError: the run could not even begin.
        KeyboardInterrupt: the process was told to stop; the run is recorded as failed.
    """
    date = as_of_date or date_of_delivery(settings)
    return process_days(settings, (date, date), on_message)


def process_days(
    settings: DataPlatformConfig,
    days: tuple[dt.date, dt.date],
    on_message: Callable[[str], None],
) -> RunReport:
    """Process the deliveries from a first day through a last one in one run.

    Args:
        settings: the project's settings.
        days: first and last business date.
        on_message: is told what is being done.

    Raises:
        PipelineError: the run could not even begin.
        KeyboardInterrupt: the process was told to stop; the run is recorded as failed.
    """
    _refuse_days_without_partition(settings, days)
    return run_job(settings, JOB_NAME, days, on_message)


def run_job(
    settings: DataPlatformConfig,
    job: str,
    partitions: tuple[dt.date, dt.date],
    on_message: Callable[[str], None],
) -> RunReport:
    """Run a job in this process as a real Dagster run.

    Args:
        settings: the project's settings.
        job: name of the job.
        partitions: first and last partition: a day, or the first day of a month.
        on_message: is told what is being done.

    Raises:
        PipelineError: the run could not even begin.
        KeyboardInterrupt: the process was told to stop; the run is recorded as failed.
    """
    home = prepare_home(settings.dagster_home)
    definitions = build_definitions(settings)
    with (
        following(on_message),
        noticing_signals() as received,
        explaining_history(home),
        quick_history(),
        open_instance(home) as instance,
    ):
        _close_abandoned_runs(instance)
        result = definitions.resolve_job_def(job).execute_in_process(
            run_config={"loggers": {PROGRESS: {}}},
            instance=instance,
            raise_on_error=False,
            tags={
                PID_TAG: str(os.getpid()),
                _HOST_TAG: socket.gethostname(),
                **partition_tags(partitions),
            },
        )
        if not result.success and received() & _STOPPING:
            raise KeyboardInterrupt
    return _report(result, settings)


def _refuse_days_without_partition(
    settings: DataPlatformConfig, days: tuple[dt.date, dt.date]
) -> None:
    if days[0] < settings.first_as_of_date:
        raise ConfigurationError(
            f"The as-of date {days[0]} lies before FIRST_AS_OF_DATE={settings.first_as_of_date}. "
            "Set that to an earlier date if such deliveries are to be processed."
        )
    refuse_future(days[1], today_utc(), settings.input_path)


def _close_abandoned_runs(instance: dg.DagsterInstance) -> None:
    """Mark runs of processes that no longer exist as failed; nobody else would."""
    unfinished = instance.get_runs(dg.RunsFilter(statuses=list(_UNFINISHED)))
    for run in unfinished:
        pid = run.tags.get(PID_TAG)
        if pid and run.tags.get(_HOST_TAG) == socket.gethostname() and not is_running(int(pid)):
            instance.report_run_failed(run, f"Process {pid}, which ran it, ended without a word.")


def _report(result: dg.ExecuteInProcessResult, settings: DataPlatformConfig) -> RunReport:
    if result.success:
        dates = sorted(_landed_dates(result))
        mark_finished(settings, dates)
        written = dict(_written(result))
        if written:
            remember_published(settings, written)
        ledgers = _ledgers(result.run_id, dates, settings)
        return RunReport(result.run_id, "success", "", ledgers, tuple(written))
    errors = [error for event in result.all_events if (error := error_of(event)) is not None]
    if not errors:
        return RunReport(result.run_id, "failed", "The run failed without a reason.")
    outcome = _OUTCOMES.get(errors[0].cls_name or "", "failed")
    return RunReport(
        result.run_id,
        outcome,
        _one_line(errors[0]),
        open_ledgers=_open_ledgers(result, settings),
        is_locked_out=errors[0].cls_name == WarehouseLockedError.__name__,
    )


def _one_line(error: Any) -> str:  # noqa: ANN401 - what error_of returns
    text = error.message.strip()
    if error.cls_name in {cls.__name__ for cls in _with_subclasses(PipelineError)}:
        # Python puts the class in front, with its module where it is imported.
        text = text.partition(": ")[2]
    return " ".join(text.split())


def _with_subclasses(cls: type) -> Iterator[type]:
    yield cls
    for child in cls.__subclasses__():
        yield from _with_subclasses(child)


def _landed_dates(result: dg.ExecuteInProcessResult) -> Iterator[dt.date]:
    """Yield the dates of a run that have a delivery; others are partitions without rows."""
    for event in result.get_asset_materialization_events():
        if event.asset_key == dg.AssetKey("delivered_files"):
            date = event.materialization.metadata.get("as_of_date")
            if date is not None:
                yield dt.date.fromisoformat(str(date.value))


def _ledgers(
    run_id: str, dates: Sequence[dt.date], settings: DataPlatformConfig
) -> dict[dt.date, DeliveryLedger]:
    warehouse = choose_warehouse(settings)
    try:
        with warehouse.session(read_only=True, run_id=run_id):
            read = ((date, read_ledger(warehouse, date)) for date in dates)
            return {date: ledger for date, ledger in read if ledger is not None}
    except WarehouseLockedError:
        # The next run has the database already: what this one did is in its report.
        return {}


def _open_ledgers(
    result: dg.ExecuteInProcessResult, settings: DataPlatformConfig
) -> dict[dt.date, DeliveryLedger]:
    made = {event.asset_key for event in result.get_asset_materialization_events()}
    if dg.AssetKey("delivery_ledger") not in made:
        # What the table holds is of earlier runs.
        return {}
    ledgers = _ledgers(result.run_id, sorted(_landed_dates(result)), settings)
    return {date: ledger for date, ledger in ledgers.items() if not ledger.is_closed}


def _written(result: dg.ExecuteInProcessResult) -> Iterator[tuple[Path, str]]:
    """Yield each published file and its SHA-256."""
    for event in result.get_asset_materialization_events():
        metadata = event.materialization.metadata
        if "published" in metadata:
            yield Path(str(metadata["published"].value)), str(metadata["sha256"].value)
