"""The ways in which a run is started, each as Dagster or the command line does it."""

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import dagster as dg

from lending_club_pipeline.defs.execution import carry_out
from lending_club_pipeline.defs.instance import ensure_dagster_home, open_instance
from lending_club_pipeline.defs.project import build_definitions
from lending_club_pipeline.defs.run_records import partition_tags
from lending_club_pipeline.defs.sensors import build_delivery_sensor
from lending_club_pipeline.ingest.deliveries.delivered_files import describe
from lending_club_pipeline.ingest.deliveries.discovery import find_delivery
from lending_club_pipeline.runs.day_journal import Build, DayJournal
from lending_club_pipeline.runs.day_states import DayState, read_days
from lending_club_pipeline.runs.outlook import Request, look_ahead
from lending_club_pipeline.runs.plan import Step
from lending_club_pipeline.runs.survey import policy_of, source_of
from lending_club_pipeline.warehouse import choose_warehouse
from tests.workspaces import Workspace

BACKFILL = {"dagster/backfill": "abcdefgh"}


@dataclass
class Doors:
    """A workspace with an instance of Dagster, and every way to start a run of it."""

    workspace: Workspace
    instance: dg.DagsterInstance
    definitions: dg.Definitions
    cursor: str | None = field(default=None)

    def ask(self, request: dg.RunRequest, job: str = "process_delivery") -> bool:
        """Carry out what a schedule or a sensor asks for, as the daemon would."""
        result = self.definitions.resolve_job_def(request.job_name or job).execute_in_process(
            instance=self.instance,
            tags={**request.tags, **partition_tags_of(request)},
            asset_selection=request.asset_selection,
            raise_on_error=False,
        )
        return result.success

    def run(self, days: Sequence[dt.date], tags: dict[str, str]) -> bool:
        """Run the job for the partitions from the first of some days through the last."""
        asked = partition_tags((min(days), max(days))) | tags
        return self.ask(dg.RunRequest(tags=asked))

    def command(self, day: dt.date) -> bool:
        """`lending-club run --from DAY --to DAY`."""
        report = self.workspace.run_range(day, day)
        return report.outcomes <= {"success", "unchanged", "expired"}

    def by_hand(self, day: dt.date) -> bool:
        """A person materializes one partition."""
        return self.run([day], {})

    def backfill(self, day: dt.date) -> bool:
        """The backfill page: all assets that have days, and so none of the seeds."""
        graph = self.definitions.resolve_asset_graph()
        job = self.definitions.resolve_job_def("process_delivery")
        dated = [
            key
            for key in job.asset_layer.selected_asset_keys
            if graph.get(key).partitions_def is not None
        ]
        tags = partition_tags((day, day)) | BACKFILL
        return self.ask(dg.RunRequest(asset_selection=dated, tags=tags))

    def schedule(self, day: dt.date) -> bool:
        """The schedule ticks on a day."""
        at = dt.datetime.combine(day, dt.time(6), dt.UTC)
        schedule = self.definitions.resolve_schedule_def("daily_delivery_schedule")
        request = schedule(dg.build_schedule_context(scheduled_execution_time=at))
        assert isinstance(request, dg.RunRequest)
        tags = {**request.tags, "dagster/schedule_name": "daily_delivery_schedule"}
        return self.ask(request.with_replaced_attrs(tags=tags))

    def sensor(self, day: dt.date) -> bool:  # noqa: ARG002 - it finds by itself what to do
        """The sensor ticks, and what it asks for is carried out."""
        requests, _ = self.tick()
        tag = {"dagster/sensor_name": "new_delivery_sensor"}
        return all(self.ask(it.with_replaced_attrs(tags={**it.tags, **tag})) for it in requests)

    def tick(self) -> tuple[list[dg.RunRequest], str]:
        """What the sensor asks for now, and what it says."""
        context = dg.build_sensor_context(instance=self.instance, cursor=self.cursor)
        result = build_delivery_sensor(self.workspace.settings())(context)
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor
        said = result.skip_reason
        text = said.skip_message if isinstance(said, dg.SkipReason) else said
        return list(result.run_requests or []), text or ""


def partition_tags_of(request: dg.RunRequest) -> dict[str, str]:
    """The tag that Dagster makes of a partition key."""
    return {} if request.partition_key is None else {"dagster/partition": request.partition_key}


@contextmanager
def open_doors(workspace: Workspace) -> Iterator[Doors]:
    """Open Dagster's instance of a workspace."""
    definitions = build_definitions(workspace.settings())
    with open_instance(ensure_dagster_home(workspace.settings())) as instance:
        yield Doors(workspace, instance, definitions)


def states(workspace: Workspace) -> dict[dt.date, DayState]:
    """What the warehouse says of each date."""
    warehouse = choose_warehouse(workspace.settings())
    with warehouse.session(read_only=True):
        return read_days(warehouse)


@contextmanager
def journal_of(workspace: Workspace) -> Iterator[DayJournal]:
    """The journal of a run elsewhere, on the same warehouse."""
    warehouse = choose_warehouse(workspace.settings())
    with warehouse.session():
        yield DayJournal.begin(warehouse, "elsewhere")


def land(workspace: Workspace, journal: DayJournal, day: dt.date) -> None:
    """Record that what lies there of a day was landed elsewhere."""
    settings = workspace.settings()
    found = find_delivery(settings.deliveries.input_path, day, settings.today())
    checksums = {
        file.source.name: hashlib.sha256(file.path.read_bytes()).hexdigest()
        for file in found.all_files
    }
    journal.land(source_of(settings), {day: describe(found, checksums)})


def record(workspace: Workspace, days: Sequence[dt.date], **build: object) -> None:
    """Record that what lies there of some days was processed elsewhere, and how that ended."""
    good = {"is_built": True, "closed": days, "blocking_checks": 1}
    transformation = policy_of(workspace.settings()).transformation
    with journal_of(workspace) as journal:
        for day in days:
            land(workspace, journal, day)
        journal.begin_build(days, transformation)
        journal.end_build(days, Build(**{**good, **build}))  # type: ignore[arg-type]


def steps(workspace: Workspace, day: dt.date) -> list[Step]:
    """What `lending-club run` would do about a day now."""
    request = Request(first=day, last=day)
    return list(look_ahead(workspace.settings(), request, workspace.settings().today()).steps)


def carry_out_by_name(workspace: Workspace, day: dt.date) -> None:
    """`lending-club run --as-of DAY`."""
    carry_out(workspace.settings(), Request(as_of=day), workspace.messages.append)
