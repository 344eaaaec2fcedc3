"""Resources: the settings of the project, and the warehouse that they name."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import dagster as dg
from pydantic import PrivateAttr

from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.errors import ConfigurationError
from lending_club_pipeline.defs.abandoned_runs import signs_of_life
from lending_club_pipeline.defs.intents import PLANNED_TAG
from lending_club_pipeline.runs.day_journal import DayJournal
from lending_club_pipeline.runs.memory import check_memory, warning_of
from lending_club_pipeline.runs.publication import Publishable, read_publishable
from lending_club_pipeline.warehouse import Warehouse
from lending_club_pipeline.warehouse.databricks import DatabricksWarehouse
from lending_club_pipeline.warehouse.duckdb import DuckDBWarehouse

# Type of an asset's parameter that gets the settings.
Settings = dg.ResourceParam[DataPlatformConfig]


class WarehouseResource(dg.ConfigurableResource):
    """The warehouse that holds the data, opened once per run.

    Attributes:
        settings: the project's settings.
    """

    settings: dg.ResourceDependency[DataPlatformConfig]
    _kind: ClassVar[type[DuckDBWarehouse | DatabricksWarehouse]]
    _warehouse: Warehouse | None = PrivateAttr(default=None)
    _journal: DayJournal | None = PrivateAttr(default=None)
    _publishable: Publishable | None = PrivateAttr(default=None)

    def build(self) -> Warehouse:
        """Make the warehouse that the settings describe; nothing is opened yet."""
        return self._kind.from_settings(self.settings)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["WarehouseResource"]:
        """Hold the warehouse open during a run, and keep other runs out.

        Files that are made meanwhile can be read only by their owner: they hold personal data.

        Raises:
            ConfigurationError: there is less memory than a run needs.
        """
        self._warn_of_memory(context)
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
            self._warehouse = self._journal = self._publishable = None

    def _warn_of_memory(self, context: dg.InitResourceContext) -> None:
        warning = warning_of(check_memory(self.settings.engine.memory_limit))
        # The command line itself warns before it loads anything.
        if warning and context.log and context.run and PLANNED_TAG not in context.run.tags:
            context.log.warning(warning)

    @property
    def warehouse(self) -> Warehouse:
        """The open warehouse of this run."""
        if self._warehouse is None:
            raise ConfigurationError("The warehouse is open only while a run lasts.")
        return self._warehouse

    def journal(self, run_id: str) -> DayJournal:
        """The states of all dates: read once, as no other run writes them meanwhile.

        Args:
            run_id: Dagster's id of the run.
        """
        if self._journal is None:
            self._journal = DayJournal.begin(self.warehouse, run_id)
        return self._journal

    def publishable(self, journal: DayJournal) -> Publishable:
        """The delivery to publish, with its passed checks: read again only after a build.

        Raises:
            OutputError: no delivery may be published.
        """
        if self._publishable is None or not self._publishable.is_of(journal.days):
            self._publishable = read_publishable(self.warehouse, journal.days)
        return self._publishable


class DuckDBResource(WarehouseResource):
    """The embedded warehouse."""

    _kind: ClassVar = DuckDBWarehouse


class DatabricksResource(WarehouseResource):
    """The production warehouse."""

    _kind: ClassVar = DatabricksWarehouse


def build_resources(settings: DataPlatformConfig) -> dict[str, Any]:
    """Return the resources for the settings, by the keys that assets use."""
    # Absolute, because readers of a run's log do not know the working folder.
    inputs = settings.deliveries.input_path.absolute()
    placed = settings.changed({"deliveries": {"input_path": inputs}})
    kinds = {"duckdb": DuckDBResource, "databricks": DatabricksResource}
    kind = kinds[settings.engine.database_type]
    return {"settings": placed, "warehouse": kind(settings=placed)}
