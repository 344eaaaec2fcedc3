"""Turn the public bank data into a delivery."""

import csv
import io
from pathlib import Path

EXCERPT = Path(__file__).with_name("bank_excerpt.csv")


def records() -> list[dict[str, str]]:
    """Read the records of the excerpt."""
    return list(csv.DictReader(io.StringIO(EXCERPT.read_text())))


def delivery() -> tuple[bytes, bytes]:
    """Return `Customer.csv` and `accounts.csv`; README.md says what comes from what."""
    customers, accounts = [], []
    for number, record in enumerate(records(), start=1):
        job = "" if record["job"] == "unknown" else record["job"]
        customers.append((number, job, record["loan"]))
        accounts.append((f"UCI-{number}", number, record["balance"], "Savings"))
    return (
        _written(("CustomerID", "Name", "HasLoan"), customers),
        _written(("AccountID", "CustomerID", "Balance", "AccountType"), accounts),
    )


def _written(header: tuple[str, ...], rows: list[tuple[object, ...]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *rows])
    return text.getvalue().encode()
