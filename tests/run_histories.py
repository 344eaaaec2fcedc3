"""Dagster's history of the runs in this process: in memory, unless a test needs it on the disk.

To write it into SQLite takes a third of a run. Commands in processes of their own have it on the
disk, as users do (`Workspace.environment`), as has a home in which there is one already.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib.resources import files
from pathlib import Path

import dagster as dg

from lending_club_pipeline import defs

Opening = Callable[[Path], AbstractContextManager[dg.DagsterInstance]]


def in_memory(on_disk: Opening) -> Opening:
    """Return what opens the history of a home, the same one each time, in memory if that may be.

    Args:
        on_disk: opens the history that a home has or is configured to have.
    """
    usual = files(defs).joinpath("dagster.yaml").read_text()
    kept: dict[Path, dg.DagsterInstance] = {}

    def opened(home: Path) -> AbstractContextManager[dg.DagsterInstance]:
        if (home / "history").exists() or (home / "dagster.yaml").read_text() != usual:
            return on_disk(home)
        if home not in kept:
            kept[home] = dg.DagsterInstance.ephemeral()
        return nullcontext(kept[home])

    return opened
