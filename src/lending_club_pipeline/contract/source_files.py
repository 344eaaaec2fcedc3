"""The two files of a delivery, the optional third one, their columns, and their compression."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Compression = Literal["none", "gz", "zst"]
# The ending of a file's name, by its compression.
SUFFIXES: Final[dict[Compression, str]] = {"none": "", "gz": ".gz", "zst": ".zst"}


@dataclass(frozen=True)
class SourceFile:
    """One of the files of a delivery.

    Attributes:
        name: file name as delivered, before `.gz` or `.zst`.
        table: name under which its records are landed.
        columns: required columns, in the order in which they are landed.
        landed_columns: the same columns under the names that they have in the warehouse.
        numbers: the column that holds the number, by landed column that mostly holds numbers.
    """

    name: str
    table: str
    columns: tuple[str, ...]
    landed_columns: tuple[str, ...]
    numbers: Mapping[str, str] = field(default_factory=dict, hash=False)


CUSTOMERS: Final = SourceFile(
    name="Customer.csv",
    table="customers",
    columns=("CustomerID", "Name", "HasLoan"),
    landed_columns=("customer_id", "name", "has_loan"),
    numbers={"customer_id": "customer_number"},
)
ACCOUNTS: Final = SourceFile(
    name="accounts.csv",
    table="accounts",
    columns=("AccountID", "CustomerID", "Balance", "AccountType"),
    landed_columns=("account_id", "customer_id", "balance", "account_type"),
    numbers={"customer_id": "customer_number", "balance": "balance_amount"},
)
SOURCE_FILES: Final = (CUSTOMERS, ACCOUNTS)
# The control totals of the two files; read and compared, never landed.
CONTROL: Final = SourceFile(
    name="control.csv",
    table="control",
    columns=("File", "Records", "SumOfBalances", "BusinessDate"),
    landed_columns=("file", "records", "sum_of_balances", "business_date"),
)
