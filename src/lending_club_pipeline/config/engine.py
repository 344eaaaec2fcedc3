"""Settings of the engine that holds the data, of the embedded database, and of dbt."""

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict

from lending_club_pipeline.config.concern import Concern, prefixed
from lending_club_pipeline.config.paths import DatabaseFile, LandingFolder
from lending_club_pipeline.config.values import parse_bytes

DatabaseType = Literal["duckdb", "databricks"]

# What Python, Dagster, dbt and Arrow themselves take beside the engine: measured 330 MB on the
# sample delivery, rounded up.
_PROCESS_OVERHEAD_BYTES: Final = 400 * 2**20
# The engine takes more than its bound, the more the larger it is: the process held 660 MiB beyond
# it with a limit of 2 GiB after a dozen runs, and 1,260 MiB with 8 GiB.
_BEYOND_BOUND_PARTS: Final = 8
_SPLITTING_BYTES: Final = 128 * 2**20
_LEAST_MEMORY_BYTES: Final = 768 * 2**20


def _check_memory(text: str) -> str:
    if parse_bytes(text) < _LEAST_MEMORY_BYTES:
        raise ValueError("must be 768MiB or more: Python, Dagster and dbt alone take 400MiB")
    return text


class EngineSettings(Concern):
    """Which engine holds the data, and its bounds."""

    database_type: DatabaseType = "duckdb"
    """Engine that holds the data: `duckdb` (embedded) or `databricks`."""
    memory_limit: Annotated[str, AfterValidator(_check_memory)] = "2GiB"
    """Upper bound for the memory of the whole process, such as `2GiB`."""
    lock_wait_seconds: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """How long a run waits for another one to release the database."""
    landing_path: LandingFolder | None = None
    """Folder of the landed Parquet; beside the embedded database when it is not set."""

    @property
    def memory_bytes(self) -> int:
        """The bound of the engine so that the process keeps to `memory_limit`, in bytes.

        With Databricks that engine only splits a delivery, for which little is enough.
        """
        limit = parse_bytes(self.memory_limit)
        left = limit - _PROCESS_OVERHEAD_BYTES - limit // _BEYOND_BOUND_PARTS
        return left if self.database_type == "duckdb" else min(left, _SPLITTING_BYTES)


class DuckDBSettings(Concern):
    """The embedded engine, which also splits deliveries for Databricks."""

    model_config = SettingsConfigDict(alias_generator=prefixed("DUCKDB_"))

    path: DatabaseFile = Path("data/lending_club.duckdb")
    """Database file."""
    threads: int | None = Field(default=None, ge=1, le=1024)
    """Threads of the engine; all cores when it is not set."""


class DbtSettings(Concern):
    """How dbt builds."""

    model_config = SettingsConfigDict(alias_generator=prefixed("DBT_"))

    target: DatabaseType | None = None
    """dbt target; follows DATABASE_TYPE and may not contradict it."""
    threads: int = Field(default=1, ge=1, le=64)
    """Models that dbt builds at the same time."""
    intermediate_as: Literal["ephemeral", "view"] = "ephemeral"
    """Intermediate models inside the models that use them (`ephemeral`), or as views of their own,
    to look into them (`view`)."""

    @property
    def environment(self) -> dict[str, str]:
        """What the dbt project reads when it is parsed, beside what its warehouse gives."""
        return {"DBT_INTERMEDIATE_AS": self.intermediate_as}
