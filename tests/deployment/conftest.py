"""An engine, the image and the services, once for all tests that need Docker."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deployment.engine import engine, why_none
from tests.deployment.images import images
from tests.deployment.stack import Stack


@pytest.fixture(scope="session")
def variables() -> Iterator[dict[str, str]]:
    """Images that are there, as compose.yaml names them."""
    if reason := why_none():
        pytest.fail(reason, pytrace=False)
    with engine():
        yield images()


@pytest.fixture(scope="session")
def stack(variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The four services, healthy."""
    services = Stack(tmp_path_factory.mktemp("checkout"), variables)
    try:
        services.up()
        yield services
    finally:
        print(services.compose("logs", "--tail", "40"))  # noqa: T201 - shown if a test failed
        services.down("--volumes")


@pytest.fixture
def sample() -> Path:
    """The delivery that comes with the project."""
    return Path(__file__).parents[2] / "data" / "inputs"
