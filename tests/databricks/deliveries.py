"""Small deliveries, landed without the rest of the pipeline, and marts made by hand."""

import datetime as dt
from pathlib import Path
from typing import Final

from databricks_stand_in.client import WarehouseClient
from lending_club_pipeline.config.clock import Today
from lending_club_pipeline.ingest.deliveries.discovery import find_delivery
from lending_club_pipeline.ingest.landing import SplitterLimits, land
from tests.workspaces import ACCOUNT_HEADER, CUSTOMER_HEADER

# No last day of a month: that is closed by a run of its own, which takes its time on Spark.
DAY: Final = dt.date(2026, 1, 30)

CUSTOMERS: Final = f"{CUSTOMER_HEADER}1,Ada Lovelace,yes\n2,Grace Hopper,no\n3,Åsa Öberg,None\n"
ACCOUNTS: Final = (
    f"{ACCOUNT_HEADER}A1,1,100.00,Savings\nA2,1,15000.10,savings\nA3,2,20000.55,Savings\n"
    "A4,3,7.00,Checking\nA5,9,8.00,Savings\ntoo,short\n"
)
RESTATED: Final = ACCOUNTS.replace("100.00", "300.00")

MART: Final = """
    select cast(1 as bigint) as customer_id, 'A1' as account_id,
        cast(100 as decimal(18, 2)) as original_balance,
        cast(0.01 as decimal(6, 4)) as interest_rate,
        cast(1 as decimal(18, 2)) as annual_interest, cast(101 as decimal(18, 2)) as new_balance
    union all
    select 2, 'A2', 200.50, 0.02, 4.01, 204.51
"""


def deliver(
    folder: Path,
    accounts: bytes = ACCOUNTS.encode(),
    customers: bytes = CUSTOMERS.encode(),
) -> None:
    """Put a dated delivery into the inputs below a folder."""
    inputs = folder / "inputs" / DAY.isoformat()
    inputs.mkdir(parents=True, exist_ok=True)
    (inputs / "Customer.csv").write_bytes(customers)
    (inputs / "accounts.csv").write_bytes(accounts)


def land_delivery(folder: Path, accounts: str = ACCOUNTS) -> Path:
    """Deliver and land; return the landed day."""
    deliver(folder, accounts.encode())
    today = Today(DAY + dt.timedelta(days=1))
    landing = folder / "landing"
    loaded_at = dt.datetime(2026, 1, 31, 12)  # noqa: DTZ001 - UTC without a zone, as in Parquet
    delivery = find_delivery(folder / "inputs", DAY, today)
    land(delivery, landing, SplitterLimits(2**29, 1), loaded_at, lambda _: None)
    return landing / f"as_of_date={DAY.isoformat()}"


def make_mart(client: WarehouseClient, query: str = MART) -> None:
    """Make the table that the serving table is published from."""
    client.run(f"create schema if not exists {client.catalog}.{client.schema}")
    client.run(f"create or replace table {client.schema}.account_summary as {query}")
