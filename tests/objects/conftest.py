"""Fixtures of tests with object stores: each test of `bucket` runs with each store."""

from collections.abc import Iterator
from typing import TypeVar

import pytest

from tests.objects import buckets
from tests.objects.buckets import Bucket, GoogleBucket, ObjectWorkspace, S3Bucket
from tests.workspaces import Workspace

_B = TypeVar("_B", bound=Bucket)


@pytest.fixture(scope="session")
def _s3() -> Iterator[S3Bucket]:
    with buckets.running() as bucket:
        yield bucket


@pytest.fixture(scope="session")
def _google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoogleBucket]:
    with buckets.google_running(tmp_path_factory.mktemp("google")) as bucket:
        yield bucket


@pytest.fixture
def s3(_s3: S3Bucket, monkeypatch: pytest.MonkeyPatch) -> S3Bucket:
    """An empty bucket of S3, and credentials for it."""
    return _ready(_s3, monkeypatch)


@pytest.fixture
def google(_google: GoogleBucket, monkeypatch: pytest.MonkeyPatch) -> GoogleBucket:
    """An empty bucket of Google's Cloud Storage, and credentials for it."""
    return _ready(_google, monkeypatch)


def _ready(bucket: _B, monkeypatch: pytest.MonkeyPatch) -> _B:
    bucket.empty()
    for name, value in bucket.variables.items():
        monkeypatch.setenv(name, value)
    return bucket


@pytest.fixture(params=["s3", "google"])
def bucket(request: pytest.FixtureRequest) -> Bucket:
    """An empty bucket of each store, and credentials for it."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def in_objects(workspace: Workspace, bucket: Bucket) -> ObjectWorkspace:
    """A workspace whose inputs and outputs are in a bucket."""
    return ObjectWorkspace(workspace.root, bucket=bucket, endpoint=bucket.endpoint)
