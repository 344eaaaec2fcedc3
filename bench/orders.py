"""Deliveries of which the records come in the order of their keys, or in no order at all."""

from pathlib import Path
from typing import Final, Literal

import duckdb

from lending_club_pipeline.files import duckdb_paths

Order = Literal["sorted", "random"]
_KEYS: Final = {"Customer.csv": "cast(CustomerID as bigint)", "accounts.csv": "AccountID"}


def reorder(source: Path, target: Path, order: Order) -> None:
    """Write the same records in another order.

    Args:
        source: folder of a delivery without dirt.
        target: folder to write.
        order: `sorted` by key, or `random`, which is always the same one.
    """
    target.mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute("set temp_directory = ?", [str(target / "spill")])
        for name, key in _KEYS.items():
            place = key if order == "sorted" else f"md5(cast({key} as varchar))"
            file = duckdb_paths.exactly(source / name)
            read = f"read_csv({file}, all_varchar = true, header = true)"
            connection.execute(
                f"copy (from {read} order by {place}) "
                f"to {duckdb_paths.literal(target / name)} (header true)"
            )
