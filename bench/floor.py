"""Run the floor script: `python -m bench.floor INPUTS OUTPUTS MEMORY_BYTES`."""

import sys
from pathlib import Path

import duckdb

SCRIPT = Path(__file__).with_name("floor.sql")


def run_floor(inputs: Path, outputs: Path, memory_bytes: int) -> None:
    """Read both CSVs of `inputs` and write both summaries to `outputs`."""
    outputs.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"set memory_limit = '{memory_bytes}B'")
        connection.execute("set temp_directory = ?", [str(outputs / "spill")])
        for name, path in (
            ("customers", inputs / "Customer.csv"),
            ("accounts", inputs / "accounts.csv"),
            ("summary_csv", outputs / "account_summary.csv"),
            ("summary_parquet", outputs / "account_summary.parquet"),
        ):
            connection.execute(f"set variable {name} = '{path}'")
        connection.execute(SCRIPT.read_text())


if __name__ == "__main__":
    run_floor(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
