"""Fixtures of tests with object stores."""

from collections.abc import Iterator

import pytest

from tests.objects import buckets
from tests.objects.buckets import Bucket, ObjectWorkspace
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
def in_objects(
    workspace: Workspace, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> ObjectWorkspace:
    """A workspace whose inputs and outputs are in a bucket."""
    for name, value in buckets.VARIABLES.items():
        monkeypatch.setenv(name, value)
    return ObjectWorkspace(workspace.root, bucket=bucket, endpoint=bucket.endpoint)
