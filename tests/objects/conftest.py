"""Fixtures of tests with object stores."""

from collections.abc import Iterator

import pytest

from tests.objects import buckets
from tests.objects.buckets import Bucket, InObjects
from tests.workspaces import Workspace


@pytest.fixture(scope="session")
def _server() -> Iterator[Bucket]:
    with buckets.running() as bucket:
        yield bucket


@pytest.fixture
def bucket(_server: Bucket) -> Bucket:
    """An empty bucket."""
    _server.empty()
    return _server


@pytest.fixture
def in_objects(workspace: Workspace, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> InObjects:
    """A workspace whose inputs and outputs are in a bucket; its settings are in the environment."""
    place = InObjects(workspace, bucket, bucket.endpoint)
    for name, value in {**workspace.environment(), **place.variables}.items():
        monkeypatch.setenv(name, value)
    return place
