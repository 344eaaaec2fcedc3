"""The two files of a delivery and the columns that they must have."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class SourceFile:
    """One of the two extracts of a delivery.

    Attributes:
        name: file name as delivered, before `.gz` or `.zst`.
        table: name under which its records are landed.
        columns: required columns, in the order in which they are landed.
    """

    name: str
    table: str
    columns: tuple[str, ...]


CUSTOMERS: Final = SourceFile("Customer.csv", "customers", ("CustomerID", "Name", "HasLoan"))
ACCOUNTS: Final = SourceFile(
    "accounts.csv", "accounts", ("AccountID", "CustomerID", "Balance", "AccountType")
)
SOURCE_FILES: Final = (CUSTOMERS, ACCOUNTS)
