"""The production warehouse: a Databricks SQL warehouse. Here: its settings and its connection."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from lending_club_pipeline.errors import ConfigurationError, WarehouseError
from lending_club_pipeline.settings import DataPlatformConfig
from lending_club_pipeline.warehouse.protocol import FileFormat

if TYPE_CHECKING:
    # Takes 0.1 s to import, and a run of DuckDB alone does without it.
    import pyarrow as pa


@dataclass
class DatabricksWarehouse:
    """See `Warehouse`; here for Databricks SQL.

    Attributes:
        host: host name of the workspace.
        http_path: path of the SQL warehouse.
        token: personal access token.
        catalog: Unity Catalog catalog.
        schema: schema in which dbt builds.
    """

    host: str
    http_path: str
    token: SecretStr
    catalog: str
    schema: str
    _open: Any = field(default=None, repr=False)

    engine: str = "databricks"

    @classmethod
    def from_settings(cls, settings: DataPlatformConfig) -> "DatabricksWarehouse":
        """Make the warehouse that the settings describe; nothing is opened yet."""
        given = (
            settings.databricks_host,
            settings.databricks_http_path,
            settings.databricks_token,
            settings.databricks_catalog,
            settings.databricks_schema,
        )
        host, http_path, token, catalog, schema = given
        if not (host and http_path and token and catalog and schema):
            raise ConfigurationError("DATABASE_TYPE=databricks needs all DATABRICKS_ variables.")
        return cls(host, http_path, token, catalog, schema)

    @property
    def location(self) -> str:
        """Return host, catalog and schema."""
        return f"{self.host}/{self.catalog}.{self.schema}"

    @contextmanager
    def session(self, *, read_only: bool = False) -> Iterator[None]:  # noqa: ARG002
        """Connect to the SQL warehouse; see `Warehouse.session`."""
        self._open = self._connect()
        try:
            yield
        finally:
            self._open.close()
            self._open = None

    def _connect(self) -> Any:  # noqa: ANN401 - the connector is an extra
        try:
            from databricks import sql  # noqa: PLC0415 - an extra, needed in production only
        except ImportError:
            raise ConfigurationError(
                "DATABASE_TYPE=databricks needs the extra: pip install "
                "'lending-club-pipeline[databricks]'."
            ) from None
        try:
            return sql.connect(
                server_hostname=self.host,
                http_path=self.http_path,
                access_token=self.token.get_secret_value(),
                catalog=self.catalog,
                schema=self.schema,
            )
        except Exception as error:
            raise WarehouseError(
                f"{self.location}: no connection to the SQL warehouse ({type(error).__name__}). "
                "Check DATABRICKS_HOST, DATABRICKS_HTTP_PATH and DATABRICKS_TOKEN."
            ) from error

    def examine(self) -> str:
        """Connect and run a statement; see `Warehouse.examine`."""
        with self.session():
            self.fetch("select 1 as one")
        return f"connected to {self.location}"

    def load_raw(self, landing: Path) -> None:
        """Refuse: loading into Databricks is not released yet."""
        raise WarehouseError(_NOT_RELEASED.format(landing))

    def dbt_environment(self) -> Mapping[str, str]:
        """Return what `dbt/profiles.yml` reads for this target."""
        return {
            "DATABASE_TYPE": "databricks",
            "DBT_TARGET": "databricks",
            "DATABRICKS_HOST": self.host,
            "DATABRICKS_HTTP_PATH": self.http_path,
            "DATABRICKS_TOKEN": self.token.get_secret_value(),
            "DATABRICKS_CATALOG": self.catalog,
            "DATABRICKS_SCHEMA": self.schema,
        }

    def disconnect_dbt(self) -> None:
        """Do nothing: dbt-databricks closes its own connections."""

    def fetch(self, query: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Return a small result, one mapping per row."""
        with self._open.cursor() as cursor:
            cursor.execute(query, list(parameters))
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def stream(self, query: str) -> "pa.RecordBatchReader":
        """Refuse: reading outputs from Databricks is not released yet."""
        raise WarehouseError(_NOT_RELEASED.format(query))

    def convert_to_csv(self, parquet: Path, target: Path) -> int:  # noqa: ARG002
        """Refuse: writing outputs from Databricks is not released yet."""
        raise WarehouseError(_NOT_RELEASED.format(target))

    def copy_to_file(self, query: str, target: Path, file_format: FileFormat) -> int:  # noqa: ARG002
        """Refuse: writing outputs from Databricks is not released yet."""
        raise WarehouseError(_NOT_RELEASED.format(target))


_NOT_RELEASED = (
    "{}: running on Databricks is not released yet; this version checks settings and connection. "
    "Use DATABASE_TYPE=duckdb."
)
