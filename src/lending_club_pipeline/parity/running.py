"""Run a delivery on both engines from a fresh state, each in a process of its own."""

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lending_club_pipeline.errors import ConfigurationError, PipelineError
from lending_club_pipeline.outputs.atomic_files import describe
from lending_club_pipeline.parity.comparing import Comparer, Comparison
from lending_club_pipeline.settings import DataPlatformConfig, load_settings
from lending_club_pipeline.transformation.manifests import prepare_manifest
from lending_club_pipeline.warehouse import choose_warehouse
from lending_club_pipeline.warehouse.databricks import DatabricksWarehouse

_SUFFIX: Final = "_parity"
_FILES: Final = ("account_summary.csv", "account_summary.parquet", "quarantine.csv", "report.html")
# When something was loaded is no matter of the data.
_IGNORED: Final = ("loaded_at",)


@dataclass(frozen=True)
class Parity:
    """How far both engines agree on a delivery.

    Attributes:
        models: each model and seed compared, DuckDB on the left.
        files: by output, whether its bytes are the same.
    """

    models: tuple[Comparison, ...]
    files: Mapping[str, bool]

    @property
    def is_equal(self) -> bool:
        """Whether every model and every byte of the outputs is the same."""
        return all(it.is_equal for it in self.models) and all(self.files.values())


def examine_parity(
    settings: DataPlatformConfig,
    as_of_date: dt.date | None,
    folder: Path,
    on_message: Callable[[str], None],
) -> Parity:
    """Process a delivery on both engines and compare what they made.

    On Databricks this happens in a schema of its own, which is dropped before and after.

    Args:
        settings: where the delivery and the SQL warehouse are.
        as_of_date: business date; None takes the delivery that a run would take.
        folder: an empty folder for databases and outputs.
        on_message: is told what is being done.

    Raises:
        ConfigurationError: the settings name no SQL warehouse.
        PipelineError: an engine failed.
    """
    if settings.database_type != "databricks":
        raise ConfigurationError(
            "A comparison needs both engines: set DATABASE_TYPE=databricks and the DATABRICKS_ "
            "variables; DuckDB needs none. See .env.example."
        )
    sides = {engine: _side(settings, engine, folder / engine) for engine in _ENGINES}
    databricks = choose_warehouse(sides["databricks"])
    if not isinstance(databricks, DatabricksWarehouse):
        raise TypeError("the settings of Databricks made another warehouse")
    with _fresh_schema(databricks):
        for engine, side in sides.items():
            on_message(f"Running on {engine}")
            _run(side, as_of_date)
        on_message("Comparing models and files")
        models = tuple(_compared(sides, folder))
    return Parity(models, {name: _same_bytes(sides, name) for name in _FILES})


_ENGINES: Final = ("duckdb", "databricks")


def _side(settings: DataPlatformConfig, engine: str, folder: Path) -> DataPlatformConfig:
    folder.mkdir()
    return load_settings(
        {
            "database_type": engine,
            "dbt_target": engine,
            # A model that is inlined could not be compared.
            "dbt_intermediate_as": "view",
            "input_path": settings.input_path.absolute(),
            "output_path": folder / "outputs",
            "duckdb_path": folder / "lending_club.duckdb",
            "landing_path": folder / "landing",
            "dagster_home": folder / "dagster",
            "databricks_schema": f"{settings.databricks_schema}{_SUFFIX}",
            # Readers have no business in a table that is dropped at the end.
            "databricks_readers": "",
            "databricks_serving_table": "account_summary_serving",
        }
    )


@contextmanager
def _fresh_schema(warehouse: DatabricksWarehouse) -> Iterator[None]:
    _drop_schema(warehouse)
    try:
        yield
    finally:
        _drop_schema(warehouse)


def _drop_schema(warehouse: DatabricksWarehouse) -> None:
    with warehouse.session(read_only=True):
        warehouse.statements.run(warehouse.schema.removal())


def _run(side: DataPlatformConfig, as_of_date: dt.date | None) -> None:
    """Run the pipeline in a process of its own: dbt keeps the engine that it began with."""
    arguments = [] if as_of_date is None else ["--as-of", as_of_date.isoformat()]
    ended = subprocess.run(
        [sys.executable, "-m", "lending_club_pipeline", "run", *arguments],
        env={**os.environ, **side.as_environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        said = (ended.stderr.strip() or ended.stdout.strip()).splitlines()
        reason = next((it for it in said if it.startswith(("Error", "Failed", "Refused"))), "")
        raise PipelineError(f"{side.database_type}: the run failed. {reason or said[-1:]}")


def _compared(sides: Mapping[str, DataPlatformConfig], folder: Path) -> Iterator[Comparison]:
    duckdb, databricks = (choose_warehouse(sides[engine]) for engine in _ENGINES)
    with duckdb.session(read_only=True), databricks.session(read_only=True):
        comparer = Comparer(duckdb, databricks, folder, _IGNORED)
        for name in _relations(sides["duckdb"]):
            yield comparer.compare(name)


def _relations(side: DataPlatformConfig) -> list[str]:
    """Return the sources, seeds and models of the project, each a relation on both engines."""
    environment = {**choose_warehouse(side).dbt_environment(), **side.dbt_environment}
    manifest = prepare_manifest(environment, side.dbt_cache).content
    sources = sorted(source["name"] for source in manifest["sources"].values())
    nodes = manifest["nodes"].values()
    kinds = ("seed", "model")
    made = [sorted(it["name"] for it in nodes if it["resource_type"] == kind) for kind in kinds]
    return [*sources, *made[0], *made[1]]


def _same_bytes(sides: Mapping[str, DataPlatformConfig], name: str) -> bool:
    found = {describe(side.output_path / name).sha256 for side in sides.values()}
    return len(found) == 1
