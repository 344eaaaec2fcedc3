"""What the workers of one test run (pytest-xdist) have in common."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Let one worker at a time do what follows."""
    fcntl = pytest.importorskip("fcntl")
    with lock.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def folder_of_all_workers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that the workers of a run have in common."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
