"""The table for readers, if the warehouse has one."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True)
class ServingColumn:
    """A column of the serving table: name, SQL type and meaning."""

    name: str
    type: str
    comment: str


@dataclass(frozen=True)
class Fingerprint:
    """Content of a table in a few numbers that do not depend on the order of its rows.

    Attributes:
        row_count: its rows.
        original_balance: sum of the balances, in the accounts' currency.
        new_balance: sum of the balances with interest.
        checksum: sum of a 64-bit hash of each row.
    """

    row_count: int
    original_balance: Decimal
    new_balance: Decimal
    checksum: int


@dataclass(frozen=True)
class ServingVersion:
    """The serving table after a publication.

    Attributes:
        table: qualified name of the serving table.
        version: its Delta version.
        previous_version: the previous version, which a rollback would restore.
        fingerprint: its content; equal to the mart's.
        readers: users and groups who have the right to read it.
    """

    table: str
    version: int
    previous_version: int
    fingerprint: Fingerprint
    readers: tuple[str, ...]


class Serving(Protocol):
    """The table that readers use."""

    def publish(
        self, columns: Sequence[ServingColumn], rows: int, balance: Decimal
    ) -> ServingVersion:
        """Replace the table by the mart in one atomic step, and verify it.

        Args:
            columns: columns of the table, in order.
            rows: number of published rows, from the ledger.
            balance: sum of their balances, from the ledger.

        Raises:
            WarehouseError: a statement failed; readers see the old rows or the new ones.
            OutputError: readers would have seen other rows than those of mart and ledger; they see
                the old ones.
        """
