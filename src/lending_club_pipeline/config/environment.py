"""Environment variables that libraries read, set for as long as they are needed."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def variables(environment: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables while the body runs, and put back afterwards what was there."""
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
