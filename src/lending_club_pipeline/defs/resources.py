"""Resources: settings, the warehouse behind them, and the I/O manager for Parquet."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from pydantic import Field, PrivateAttr, SecretStr

from lending_club_pipeline.config.settings import DataPlatformConfig, load_settings
from lending_club_pipeline.contract.errors import ConfigurationError
from lending_club_pipeline.defs.abandoned_runs import signs_of_life
from lending_club_pipeline.defs.intents import PLANNED_TAG
from lending_club_pipeline.runs.memory import examine_memory, warning_of
from lending_club_pipeline.warehouse import Warehouse
from lending_club_pipeline.warehouse.databricks import (
    DatabricksWarehouse,
    WarehouseAddress,
    qualified,
)
from lending_club_pipeline.warehouse.duckdb import DuckDBWarehouse


class PlatformResource(dg.ConfigurableResource):
    """The folders and bounds of one run, over the project's settings.

    Attributes:
        input_path: folder in which deliveries arrive; empty means `INPUT_PATH`.
        output_path: folder in which outputs are published; empty means `OUTPUT_PATH`.
        landing_path: folder of the landed files; empty means `LANDING_PATH`.
        memory_limit: bound for the memory of the process; empty means `MEMORY_LIMIT`.
        duckdb_threads: threads that split a delivery; None means `DUCKDB_THREADS`.
        dbt_threads: models that dbt builds at the same time; None means `DBT_THREADS`.
        movement_limits: by how many percent a delivery may move; empty means `MOVEMENT_LIMITS`.
    """

    input_path: str = ""
    output_path: str = ""
    landing_path: str = ""
    memory_limit: str = ""
    duckdb_threads: int | None = None
    dbt_threads: int | None = None
    movement_limits: str = ""
    _settings: DataPlatformConfig | None = PrivateAttr(default=None)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Read the settings once for the run, and warn if it may take more memory than there is.

        Raises:
            ConfigurationError: a setting is not allowed, or there is less memory than a run needs.
        """
        self._settings = load_settings(
            {
                "input_path": self.input_path or None,
                "output_path": self.output_path or None,
                "landing_path": self.landing_path or None,
                "memory_limit": self.memory_limit or None,
                "duckdb_threads": self.duckdb_threads,
                "dbt_threads": self.dbt_threads,
                "movement_limits": self.movement_limits or None,
            }
        )
        warning = warning_of(examine_memory(self._settings.memory_limit))
        # The command line says so itself, before it loads anything.
        if warning and context.log and context.run and PLANNED_TAG not in context.run.tags:
            context.log.warning(warning)

    @property
    def settings(self) -> DataPlatformConfig:
        """The project's settings with this run's folders."""
        return self._settings or load_settings()


class WarehouseResource(dg.ConfigurableResource, ABC):
    """The warehouse that holds the data, opened once per run."""

    _warehouse: Warehouse | None = PrivateAttr(default=None)

    @abstractmethod
    def build(self) -> Warehouse:
        """Make the warehouse from this resource's fields; nothing is opened yet."""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["WarehouseResource"]:
        """Hold the warehouse open, and other runs out, while a run lasts.

        Files that are made meanwhile can be read by their owner only: they hold personal data.
        """
        before = os.umask(0o077)
        try:
            self._warehouse = self.build()
            run_id = "" if context.run is None else context.run.run_id
            with (
                signs_of_life(context.instance, run_id),
                self._warehouse.session(run_id=run_id),
            ):
                yield self
        finally:
            os.umask(before)
            self._warehouse = None

    @property
    def warehouse(self) -> Warehouse:
        """The open warehouse of this run."""
        if self._warehouse is None:
            raise ConfigurationError("The warehouse is open only while a run lasts.")
        return self._warehouse


class DuckDBResource(WarehouseResource):
    """The embedded warehouse.

    Attributes:
        path: the database file.
        memory_bytes: bound for the engine's memory.
        threads: threads of the engine; None means all cores.
        lock_wait_seconds: how long a run waits for another one to end.
    """

    path: str
    memory_bytes: int = 2**30
    threads: int | None = None
    lock_wait_seconds: float = 0.0

    def build(self) -> DuckDBWarehouse:
        """Make the warehouse from this resource's fields."""
        return DuckDBWarehouse(
            Path(self.path).absolute(), self.memory_bytes, self.threads, self.lock_wait_seconds
        )

    @contextmanager
    def get_connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a cursor on the database of this run, for downstream assets.

        Raises:
            ConfigurationError: no run is going on.
        """
        warehouse = self.warehouse
        assert isinstance(warehouse, DuckDBWarehouse)  # noqa: S101 - narrows the type
        with warehouse.cursor() as cursor:
            yield cursor


class DatabricksResource(WarehouseResource):
    """The production warehouse.

    Attributes:
        host: host name of the workspace.
        http_path: path of the SQL warehouse.
        catalog: Unity Catalog catalog.
        schema_name: schema in which dbt builds.
        token: personal access token; give it as `dg.EnvVar`, or leave it out to sign in as the
            project's settings say when a run starts.
        volume: volume into which deliveries are uploaded.
        serving_table: table that readers use: name, schema.name or catalog.schema.name.
        readers: users, groups or principals who may read it.
        history_days: days for which it can be read as it was.
        staging: local folder for the files that are uploaded; empty means `LANDING_PATH`.
        ca_file: certificates to trust instead of the system's; empty means the system's.
        retry_seconds: how long a transient fault is retried.
        threads: threads of the engine that splits deliveries; None means all cores.
        lock_wait_seconds: how long a run waits for another one to end.
    """

    host: str
    http_path: str
    catalog: str
    schema_name: str
    token: str = ""
    volume: str = "landing"
    serving_table: str = "account_summary_serving"
    readers: list[str] = Field(default_factory=list)
    history_days: int = 30
    staging: str = ""
    ca_file: str = ""
    retry_seconds: float = 300.0
    threads: int | None = None
    lock_wait_seconds: float = 0.0

    def build(self) -> DatabricksWarehouse:
        """Make the warehouse from this resource's fields.

        Raises:
            ConfigurationError: there is no way to sign in.
        """
        settings = load_settings()
        token = SecretStr(self.token) if self.token else settings.databricks_token
        client_id, secret = settings.databricks_client_id, settings.databricks_client_secret
        if not (token or (client_id and secret)):
            raise ConfigurationError("DATABRICKS_TOKEN is not set. See .env.example.")
        address = WarehouseAddress(
            self.host,
            self.http_path,
            self.catalog,
            self.schema_name,
            token,
            client_id,
            secret,
            Path(self.ca_file) if self.ca_file else None,
            self.retry_seconds,
        )
        staging = Path(self.staging) if self.staging else settings.landing
        return DatabricksWarehouse(
            address,
            self.volume,
            qualified(self.serving_table, address),
            tuple(self.readers),
            self.history_days,
            staging,
            self.threads,
            self.lock_wait_seconds,
        )


def build_resources(settings: DataPlatformConfig) -> dict[str, Any]:
    """Return the resources that the settings describe, by the keys that assets ask for."""
    platform = PlatformResource.configure_at_launch(
        input_path=str(settings.input_path.absolute()),
        output_path=str(settings.output_path.absolute()),
        landing_path=str(settings.landing),
        memory_limit=settings.memory_limit,
        duckdb_threads=settings.duckdb_threads,
        dbt_threads=settings.dbt_threads,
        movement_limits=settings.movement_limits,
    )
    return {"platform": platform, "warehouse": _warehouse_resource(settings)}


def _warehouse_resource(settings: DataPlatformConfig) -> WarehouseResource:
    if settings.database_type == "duckdb":
        return DuckDBResource(
            path=str(settings.duckdb_path.absolute()),
            memory_bytes=settings.engine_memory_bytes,
            threads=settings.duckdb_threads,
            lock_wait_seconds=settings.lock_wait_seconds,
        )
    return DatabricksResource(
        host=settings.databricks_host or "",
        http_path=settings.databricks_http_path or "",
        catalog=settings.databricks_catalog or "",
        schema_name=settings.databricks_schema or "",
        volume=settings.databricks_volume,
        serving_table=settings.databricks_serving_table,
        readers=list(settings.databricks_reader_names),
        history_days=settings.databricks_history_days,
        staging=str(settings.landing),
        ca_file=str(settings.databricks_ca_file or ""),
        retry_seconds=settings.databricks_retry_seconds,
        threads=settings.duckdb_threads,
        lock_wait_seconds=settings.lock_wait_seconds,
    )
