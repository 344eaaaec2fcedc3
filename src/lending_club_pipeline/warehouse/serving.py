"""The table that readers use, where the warehouse serves one."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class ServedColumn:
    """A column of the serving table: its name, SQL type, and what it means."""

    name: str
    type: str
    comment: str


@dataclass(frozen=True)
class Fingerprint:
    """What a table holds, in a few numbers that do not depend on the order of its rows.

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
class Served:
    """What readers see after a publication.

    Attributes:
        table: qualified name of the serving table.
        version: its Delta version.
        previous_version: the version before, to which a rollback would restore it.
        fingerprint: what it holds; equal to the mart's.
        readers: who was granted the right to read it.
    """

    table: str
    version: int
    previous_version: int
    fingerprint: Fingerprint
    readers: tuple[str, ...]
