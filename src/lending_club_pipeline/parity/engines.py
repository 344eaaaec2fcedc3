"""Process deliveries on both engines from an empty state, each in a subprocess."""

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lending_club_pipeline.config.engine import DatabaseType
from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.errors import (
    ConfigurationError,
    PipelineError,
    Place,
    RefusedDeliveryError,
)
from lending_club_pipeline.contract.source_files import SOURCE_FILES
from lending_club_pipeline.dbt_runner.manifest import prepare_manifest
from lending_club_pipeline.files.atomic import describe
from lending_club_pipeline.ingest.deliveries.discovery import find_delivery
from lending_club_pipeline.parity.comparison import Comparer, Comparison
from lending_club_pipeline.publish.output_files import OUTPUT_FILES
from lending_club_pipeline.storage.inputs import inputs_of
from lending_club_pipeline.warehouse import choose_warehouse
from lending_club_pipeline.warehouse.databricks import DatabricksWarehouse

_SUFFIX: Final = "_parity"
# Not part of the data: load times, and fields that DuckDB also keeps as numbers.
_IGNORED: Final = ("loaded_at", *(it for source in SOURCE_FILES for it in source.numbers.values()))
# Left and right side of a comparison.
_ENGINES: Final[tuple[DatabaseType, DatabaseType]] = ("duckdb", "databricks")
_SAID_BY_THE_COMMAND: Final = ("Error:", "Failed:", "Refused:")
_REFUSED: Final = "Refused: "


@dataclass(frozen=True)
class Parity:
    """Result of a comparison of both engines.

    Attributes:
        models: each source, seed and model compared, DuckDB on the left.
        files: by output, whether its bytes are the same.
    """

    models: tuple[Comparison, ...]
    files: Mapping[str, bool]

    @property
    def is_equal(self) -> bool:
        """Whether every model and every byte of the outputs is the same."""
        return all(it.is_equal for it in self.models) and all(self.files.values())


@dataclass(frozen=True)
class BothEngines:
    """Two pipelines that differ only in their engine.

    Attributes:
        sides: settings by engine.
        folder: folder for their files.
    """

    sides: Mapping[DatabaseType, DataPlatformConfig]
    folder: Path

    def process(self, as_of_date: dt.date, since: dt.date | None = None) -> None:
        """Process the delivery of a date on both engines at the same time.

        Args:
            as_of_date: its business date.
            since: process all deliveries from this date on, in one run.

        Raises:
            RefusedDeliveryError: the delivery is refused.
            PipelineError: an engine failed.
        """
        with ExitStack() as stack:
            runs = [
                stack.enter_context(_run(side, _which(as_of_date, since), self._log(engine)))
                for engine, side in self.sides.items()
            ]
            for engine, run in zip(self.sides, runs, strict=True):
                if run.wait() != 0:
                    raise _failure(engine, self.sides[engine], self._log(engine))

    def _log(self, engine: str) -> Path:
        return self.folder / f"{engine}.log"

    def compare(self) -> Parity:
        """Compare all results of both engines.

        Raises:
            PipelineError: something could not be read.
        """
        return Parity(tuple(self._models()), self.compare_files())

    def compare_files(self) -> dict[str, bool]:
        """Return for each output whether both engines have written the same bytes."""
        return {name: self._are_equal(name) for name in OUTPUT_FILES}

    def _models(self) -> Iterator[Comparison]:
        left, right = (choose_warehouse(self.sides[engine]) for engine in _ENGINES)
        with left.session(read_only=True), right.session(read_only=True):
            comparer = Comparer(left, right, self.folder, _IGNORED)
            made = left.relations() | right.relations()
            for name in _relations(self.sides["duckdb"]):
                # Month-end tables do not exist before a month is over.
                if name in made:
                    yield comparer.compare(name)

    def _are_equal(self, name: str) -> bool:
        files = (_outputs_of(side) / name for side in self.sides.values())
        return len({describe(file).sha256 for file in files}) == 1


def _outputs_of(side: DataPlatformConfig) -> Path:
    path = side.outputs.path
    assert isinstance(path, Path)  # noqa: S101 - both publish into folders of this machine
    return path


def compare_engines(
    settings: DataPlatformConfig,
    as_of_date: dt.date | None,
    folder: Path,
    on_message: Callable[[str], None],
) -> Parity:
    """Process a delivery on both engines and compare the results.

    Args:
        settings: where the delivery and the SQL warehouse are.
        as_of_date: business date; None takes the same delivery as a run.
        folder: an empty folder for databases and outputs.
        on_message: called with a text about the current step.

    Raises:
        ConfigurationError: the settings do not name a SQL warehouse.
        RefusedDeliveryError: the delivery is refused.
        PipelineError: an engine failed.
    """
    # Choose it once, so that both engines use the same date around midnight.
    delivery = find_delivery(inputs_of(settings), as_of_date, settings.today())
    on_message("Preparing a schema")
    with both_engines(settings, folder) as engines:
        on_message(f"Processing the delivery of {delivery.as_of_date} on both engines")
        engines.process(delivery.as_of_date)
        on_message("Comparing models and files")
        return engines.compare()


@contextmanager
def both_engines(settings: DataPlatformConfig, folder: Path) -> Iterator[BothEngines]:
    """Yield two empty pipelines.

    On Databricks it uses a separate schema, which is dropped before and after.

    Args:
        settings: where deliveries and the SQL warehouse are.
        folder: an empty folder for databases and outputs.

    Raises:
        ConfigurationError: the settings name no SQL warehouse.
        WarehouseError: the SQL warehouse cannot be used.
    """
    if settings.engine.database_type != "databricks":
        raise ConfigurationError(
            "A comparison needs both engines: set DATABASE_TYPE=databricks and the DATABRICKS_ "
            "variables; DuckDB needs none. See .env.example."
        )
    sides = {engine: _side(settings, engine, folder / engine) for engine in _ENGINES}
    databricks = DatabricksWarehouse.from_settings(sides["databricks"])
    _drop_schema(databricks)
    try:
        yield BothEngines(sides, folder)
    finally:
        _drop_schema(databricks)


def _side(settings: DataPlatformConfig, engine: DatabaseType, folder: Path) -> DataPlatformConfig:
    folder.mkdir()
    databricks, ca_file = settings.databricks, settings.databricks.ca_file
    changed: dict[str, dict[str, object]] = {
        "engine": {"database_type": engine, "landing_path": folder / "landing"},
        "duckdb": {"path": folder / "lending_club.duckdb"},
        # Inlined models cannot be compared.
        "dbt": {"target": engine, "intermediate_as": "view"},
        "deliveries": {"input_path": settings.deliveries.input_path.absolute()},
        "outputs": {"path": folder / "outputs"},
        "dagster": {"home": folder / "dagster"},
        "databricks": {
            "schema_name": f"{databricks.schema_name}{_SUFFIX}",
            "ca_file": ca_file and ca_file.absolute(),
            # Readers need no rights on a table that is dropped at the end.
            "readers": "",
            "serving_table": "account_summary_serving",
        },
    }
    return settings.changed(changed)


def _drop_schema(warehouse: DatabricksWarehouse) -> None:
    with warehouse.session(read_only=True):
        warehouse.statements.run(warehouse.schema.removal())


def _which(as_of_date: dt.date, since: dt.date | None) -> list[str]:
    if since is None:
        return ["--as-of", as_of_date.isoformat()]
    return ["--from", since.isoformat(), "--to", as_of_date.isoformat()]


@contextmanager
def _run(
    side: DataPlatformConfig, which: Sequence[str], log: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the pipeline in a subprocess, because dbt keeps the first engine of a process."""
    # All settings are in the environment; an empty variable must not be read from a file instead.
    environment = {**os.environ, **side.as_environment()}
    environment.pop("SECRETS_DIR", None)
    command = [sys.executable, "-m", "lending_club_pipeline", "run"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, *which],
            env=environment,
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait()


def _failure(engine: str, side: DataPlatformConfig, log: Path) -> PipelineError:
    """Return the error message of a failed run."""
    lines = log.read_text(errors="replace").split("\n")
    said = [line for line in lines if line.startswith(_SAID_BY_THE_COMMAND)]
    reason = (
        said[-1] if said else f"it ended without an error message: {' '.join(lines[-5:]).strip()}"
    )
    if reason.startswith(_REFUSED):
        problem = reason.removeprefix(_REFUSED).rstrip(".")
        return RefusedDeliveryError(
            "refused", Place(side.deliveries.input_path), problem, "Correct it."
        )
    return PipelineError(f"The run on {engine} failed. {reason}")


def _relations(side: DataPlatformConfig) -> list[str]:
    """Return the sources, seeds and models of the project, each a relation on both engines."""
    environment = {**choose_warehouse(side).dbt_environment(), **side.dbt.environment}
    manifest = prepare_manifest(environment, side.dbt_cache).content
    sources = sorted(source["name"] for source in manifest["sources"].values())
    nodes = [it for it in manifest["nodes"].values() if not _is_of_one_engine(it)]
    kinds = ("seed", "model")
    made = [sorted(it["name"] for it in nodes if it["resource_type"] == kind) for kind in kinds]
    return [*sources, *made[0], *made[1]]


def _is_of_one_engine(node: Mapping[str, Any]) -> bool:
    return bool(node["config"].get("meta", {}).get("is_of_one_engine"))
