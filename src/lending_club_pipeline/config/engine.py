"""Settings of the engine, of the embedded database, and of dbt."""

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict

from lending_club_pipeline.config.concern import Concern, prefixed
from lending_club_pipeline.config.paths import DatabaseFile, LandingFolder
from lending_club_pipeline.config.values import parse_bytes

DatabaseType = Literal["duckdb", "databricks"]

# Memory of Python, Dagster, dbt and Arrow besides the engine: measured 330 MB on the sample
# delivery, rounded up.
_PROCESS_OVERHEAD_BYTES: Final = 400 * 2**20
# The engine exceeds its limit, by more if the limit is larger. After a dozen runs the process held
# 660 MiB beyond a limit of 2 GiB, and 1,260 MiB beyond one of 8 GiB.
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
    """Memory limit of the whole process, such as `2GiB`."""
    lock_wait_seconds: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """How long a run waits for another run to release the database, in seconds."""
    landing_path: LandingFolder | None = None
    """Folder of the landed Parquet; beside the embedded database if it is not set."""

    @property
    def memory_bytes(self) -> int:
        """Memory limit of the engine in bytes, so that the process stays below `memory_limit`.

        With Databricks that engine only splits a delivery, which needs little memory.
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
    """Threads of the engine; all cores if it is not set."""


class DbtSettings(Concern):
    """Settings of dbt."""

    model_config = SettingsConfigDict(alias_generator=prefixed("DBT_"))

    target: DatabaseType | None = None
    """dbt target; by default DATABASE_TYPE, which it may not contradict."""
    threads: int = Field(default=1, ge=1, le=64)
    """Number of models that dbt builds at the same time."""
    intermediate_as: Literal["ephemeral", "view"] = "ephemeral"
    """Intermediate models: inlined into the models that use them (`ephemeral`), or as views that
    can be queried (`view`)."""

    @property
    def environment(self) -> dict[str, str]:
        """Variables for the parse of the dbt project, besides those of its warehouse."""
        return {"DBT_INTERMEDIATE_AS": self.intermediate_as}
