"""Fixtures of tests with the servers of other projects."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.operating.alertmanagers import Alertmanager, alertmanager


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Alertmanager]:
    """A real Alertmanager with our routes."""
    folder = tmp_path / "alertmanager"
    folder.mkdir()
    with alertmanager(folder) as running:
        yield running
