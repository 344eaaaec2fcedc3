"""Runs of the pipeline on a SQL warehouse that are killed at a statement, and what is left."""

import subprocess
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

from databricks_stand_in.client import WarehouseClient
from tests.commands import LockWait, waiting
from tests.databricks.deliveries import DAY
from tests.databricks.pipelines import environment_of

RUN: Final = ("run", "--as-of", DAY.isoformat())
FILES: Final = ("account_summary.csv", "account_summary.parquet", "quarantine.csv")
EMBEDDED: Final = "embedded"
_LONGEST_SECONDS: Final = 900
_COLUMNS: Final = "customer_id, account_id, original_balance, annual_interest, new_balance"


def command(
    client: WarehouseClient, folder: Path, *arguments: str, **changed: str
) -> subprocess.CompletedProcess[str]:
    """Run `lending-club` on the warehouse in a process of its own."""
    with _waiting(client, folder, arguments, changed) as process:
        return process.run(_LONGEST_SECONDS)


def killed_run(
    client: WarehouseClient, folder: Path, **where: Any
) -> subprocess.CompletedProcess[str]:
    """Start a run that the warehouse kills at a statement; see `Fault` for where."""
    with _waiting(client, folder, RUN, {}) as process:
        client.arm("kill", pid=process.pid, **where)
        ended = process.run(_LONGEST_SECONDS)
    client.disarm()
    return ended


def _waiting(
    client: WarehouseClient, folder: Path, arguments: tuple[str, ...], changed: dict[str, str]
) -> AbstractContextManager[LockWait]:
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    return waiting(arguments, environment_of(client, folder, **changed), folder)


def make_old_state(client: WarehouseClient) -> list[tuple[Any, ...]]:
    """Let readers see something before the first run; return what."""
    table = f"{client.catalog}.`{client.schema}`.account_summary_serving"
    client.run(f"create schema if not exists {client.catalog}.`{client.schema}`")
    client.run(
        f"create table {table} (customer_id bigint not null, account_id string not null, "
        "original_balance decimal(18, 2) not null, interest_rate decimal(6, 4) not null, "
        "annual_interest decimal(18, 2) not null, new_balance decimal(18, 2) not null)"
    )
    client.run(f"insert into {table} values (7, 'OLD', 1.00, 0.0100, 0.01, 1.01)")
    return readers_see(client)


def readers_see(client: WarehouseClient) -> list[tuple[Any, ...]]:
    """Return what the serving table holds."""
    table = f"{client.catalog}.`{client.schema}`.account_summary_serving"
    return client.run(f"select {_COLUMNS} from {table} order by account_id")


def published(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder's outputs that both engines make equal."""
    return {name: (folder / "outputs" / name).read_bytes() for name in FILES}


def undisturbed(folder: Path, client: WarehouseClient) -> dict[str, bytes]:
    """Process the same delivery on the embedded engine, and return its files."""
    ended = command(client, folder, *RUN, **embedded_environment(folder))
    if ended.returncode != 0:
        raise RuntimeError(ended.stderr)
    return published(folder / EMBEDDED)


def embedded_environment(folder: Path) -> dict[str, str]:
    """Return the variables of the embedded engine beside a pipeline on the warehouse."""
    return {
        "DATABASE_TYPE": "duckdb",
        "DUCKDB_PATH": str(folder / EMBEDDED / "lending_club.duckdb"),
        "OUTPUT_PATH": str(folder / EMBEDDED / "outputs"),
        "LANDING_PATH": str(folder / EMBEDDED / "landing"),
        "DAGSTER_HOME": str(folder / EMBEDDED / "dagster"),
    }
