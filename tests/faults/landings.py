"""One delivery and the folder in which it is landed, without the rest of the pipeline."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from lending_club_pipeline.config.clock import Today
from lending_club_pipeline.contract.errors import RefusedDeliveryError
from lending_club_pipeline.contract.source_files import SOURCE_FILES
from lending_club_pipeline.files import duckdb_paths
from lending_club_pipeline.ingest.deliveries.discovery import find_delivery
from lending_club_pipeline.ingest.landed_files import landed_folder
from lending_club_pipeline.ingest.landed_records import relation_of
from lending_club_pipeline.ingest.landing import LandedDelivery, SplitterLimits, land
from tests.workspaces import ACCOUNT_HEADER, AS_OF, CUSTOMER_HEADER

TODAY = dt.date(2026, 2, 1)
CUSTOMERS = f"{CUSTOMER_HEADER}1,Ada Lovelace,yes\n2,Grace Hopper,no\n".encode()
ACCOUNTS = f"{ACCOUNT_HEADER}A1,1,100.00,Savings\nA2,2,200.00,Checking\n".encode()


@dataclass(frozen=True)
class Landing:
    """Inputs with a dated folder, and where they are landed.

    Attributes:
        root: folder of both.
    """

    root: Path

    @property
    def inputs(self) -> Path:
        return self.root / "inputs"

    @property
    def folder(self) -> Path:
        """The folder of the delivery."""
        return self.inputs / AS_OF.isoformat()

    @property
    def customers(self) -> Path:
        return self.folder / "Customer.csv"

    @property
    def accounts(self) -> Path:
        return self.folder / "accounts.csv"

    @property
    def target(self) -> Path:
        return self.root / "landing"

    def deliver(self, customers: bytes = CUSTOMERS, accounts: bytes = ACCOUNTS) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.customers.write_bytes(customers)
        self.accounts.write_bytes(accounts)

    def land(self, as_of: dt.date | None = AS_OF, memory_bytes: int = 2**29) -> LandedDelivery:
        return land(
            find_delivery(self.inputs, as_of, Today(TODAY)),
            self.target,
            SplitterLimits(memory_bytes, threads=1),
            dt.datetime(2026, 2, 1, 12),  # noqa: DTZ001 - UTC without a zone, as in Parquet
            lambda _: None,
        )

    def refusal(self, as_of: dt.date | None = AS_OF) -> RefusedDeliveryError:
        """Land what is delivered, which must be refused and change nothing."""
        before = self.landed_bytes()
        with pytest.raises(RefusedDeliveryError) as caught:
            self.land(as_of)
        assert self.landed_bytes() == before
        assert "\n" not in str(caught.value)
        assert caught.value.remedy
        return caught.value

    def landed_bytes(self) -> dict[str, bytes]:
        """Every file of the landing folder, hidden ones too, and its bytes."""
        return {
            str(path.relative_to(self.target)): path.read_bytes()
            for path in sorted(self.target.rglob("*"))
            if path.is_file()
        }

    def records(self, table: str) -> list[tuple[Any, ...]]:
        """The landed records of a table, in order."""
        source = next(it for it in SOURCE_FILES if it.table == table)
        fields = ", ".join(source.landed_columns)
        return self._fetch(f"select {fields} from {relation_of(self._landed, source)}")

    def rejects(self) -> list[tuple[str, int, str, str]]:
        """Source file, line, reason and text of each rejected record."""
        return self._fetch(f"from {duckdb_paths.parquet(self._landed / 'rejects.parquet')}")

    @property
    def _landed(self) -> Path:
        return landed_folder(self.target, AS_OF)

    def _fetch(self, query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect() as connection:
            return connection.execute(query).fetchall()
