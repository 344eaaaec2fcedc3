"""The deliveries that are measured: keys in order, keys in no order, and dirty ones."""

import shutil
from pathlib import Path
from typing import Final, Literal

import duckdb

from lending_club_pipeline.files import duckdb_paths
from lending_club_pipeline.synthetic.deliveries import generate_deliveries

Order = Literal["sorted", "random"]
_KEYS: Final = {"Customer.csv": "cast(CustomerID as bigint)", "accounts.csv": "AccountID"}


def make_deliveries(accounts: int, ordered: Path, random: Path, dirty: Path) -> None:
    """Write three deliveries: by key, in no order, and with one percent of dirt.

    Args:
        accounts: how many each has; for five of them there are two customers.
        ordered: folder to write.
        random: folder to write.
        dirty: folder to write.
    """
    clean = ordered.with_name("clean")
    _generate(accounts, dirty, 0.01)
    _generate(accounts, clean, 0.0)
    reorder(clean, ordered, "sorted")
    reorder(clean, random, "random")
    shutil.rmtree(clean)


def _generate(accounts: int, to: Path, dirty: float) -> None:
    generate_deliveries(
        customers=accounts * 2 // 5,
        accounts=accounts,
        to=to,
        dirty=dirty,
        # The floor reads typed columns and takes no $1,234.50.
        unusual=0,
        on_progress=ignore_progress,
    )


def ignore_progress(_: str) -> None:
    """Progress is not shown here."""


def reorder(source: Path, target: Path, order: Order) -> None:
    """Write the same records in another order.

    Args:
        source: folder of a delivery without dirt.
        target: folder to write.
        order: `sorted` by key, or `random`, which is always the same one.
    """
    target.mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute("set temp_directory = ?", [str(target / "spill")])
        for name, key in _KEYS.items():
            place = key if order == "sorted" else f"md5(cast({key} as varchar))"
            file = duckdb_paths.exactly(source / name)
            read = f"read_csv({file}, all_varchar = true, header = true)"
            connection.execute(
                f"copy (from {read} order by {place}) "
                f"to {duckdb_paths.literal(target / name)} (header true)"
            )
