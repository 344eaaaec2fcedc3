"""Engines of DuckDB in memory, bounded: they split, upload and generate; none holds the data."""

from pathlib import Path

import duckdb


def bounded_engine(
    memory_bytes: int,
    threads: int | None,
    spill: Path | None = None,
    *,
    keeps_order: bool = True,
) -> duckdb.DuckDBPyConnection:
    """Open an engine in memory.

    Args:
        memory_bytes: memory limit of the engine.
        threads: threads of the engine; None means all cores.
        spill: folder for data beyond the limit; None takes DuckDB's own.
        keeps_order: whether results keep the order of the rows that are read.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{memory_bytes}B",
        "preserve_insertion_order": keeps_order,
    }
    if threads is not None:
        config["threads"] = threads
    if spill is not None:
        config["temp_directory"] = str(spill)
    return duckdb.connect(config=config)
