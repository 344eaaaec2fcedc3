"""Kills the pipeline at every statement that a run sends, one after the other, and runs it again.

`python -m tests.databricks.kill_everywhere [--every N]` takes minutes to hours. After each kill
readers must see the old state or the new one, and the run after it must publish, without a manual
step, what an undisturbed one does.
"""

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path

from databricks_stand_in.client import WarehouseClient, new_client, start_warehouse
from tests.databricks.deliveries import ACCOUNTS, RESTATED, deliver
from tests.databricks.killing import (
    RUN,
    command,
    killed_run,
    make_old_state,
    published,
    readers_see,
    undisturbed,
)
from tests.databricks.pipelines import CHOSEN


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class _Faulty(Exception):  # noqa: N818 - a finding, not a fault of the program
    """What should never be."""


def _run_whole(client: WarehouseClient, folder: Path, accounts: str) -> None:
    """Run to the end; the files must be those of an undisturbed run."""
    deliver(folder, accounts.encode())
    ended = command(client, folder, *RUN)
    if ended.returncode != 0:
        raise _Faulty(f"the next run ended with {ended.returncode}: {ended.stderr[-500:]}")
    if published(folder) != undisturbed(folder, client):
        raise _Faulty("the next run published other files than an undisturbed one")


def _count(client: WarehouseClient, folder: Path) -> int:
    """Return how many statements a run sends that restates a day."""
    _run_whole(client, folder, ACCOUNTS)
    client.request("DELETE", "/statements")
    _run_whole(client, folder, RESTATED)
    return len(client.statements())


def _kill_at(client: WarehouseClient, folder: Path, number: int) -> str:
    """Kill a run at a statement and run again; return the statement."""
    old = readers_see(client)
    accounts = ACCOUNTS if number % 2 else RESTATED
    deliver(folder, accounts.encode())
    client.request("DELETE", "/statements")
    ended = killed_run(client, folder, at=number)
    last = " ".join(client.statements()[-1]["text"].split("*/")[-1].split())[:90]
    seen = readers_see(client)
    if ended.returncode not in {-signal.SIGKILL, 0}:
        raise _Faulty(f"the run ended with {ended.returncode}: {ended.stderr[-500:]}")
    _run_whole(client, folder, accounts)
    if seen not in (old, readers_see(client)):
        raise _Faulty(f"readers saw a part: {seen}")
    return last


def _kill_all(client: WarehouseClient, folder: Path, every: int) -> int:
    make_old_state(client)
    statements = _count(client, folder)
    _say(f"A run sends {statements} statements.")
    faulty = 0
    for number in range(1, statements + 1, every):
        try:
            _say(f"{number:4} ok      {_kill_at(client, folder, number)}")
        except _Faulty as finding:
            faulty += 1
            _say(f"{number:4} FAULTY  {finding}")
    return faulty


def main() -> None:
    """Kill and run, and exit with 1 if anything was faulty."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="only every Nth statement")
    every = parser.parse_args().every
    with tempfile.TemporaryDirectory(prefix="kill-everywhere-") as name:
        root = Path(name)
        environment = start_warehouse(root / "warehouse", os.getpid()) | CHOSEN
        with new_client(environment, "kill_everywhere") as client:
            faulty = _kill_all(client, root / "pipeline", every)
    _say("Nothing was faulty." if not faulty else f"Faulty: {faulty}.")
    sys.exit(1 if faulty else 0)


if __name__ == "__main__":
    main()
