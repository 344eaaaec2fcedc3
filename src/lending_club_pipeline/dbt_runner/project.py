"""Fingerprint of the dbt project."""

import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

_NOT_SOURCES: Final = {"target", "logs", "dbt_packages"}


def fingerprint(project: Path, environment: Mapping[str, str]) -> str:
    """Return a text that changes when the parsed project would change.

    Args:
        project: folder of the dbt project.
        environment: variables that its profile reads and that names of relations depend on.
    """
    digest = hashlib.sha256(_versions().encode())
    for name, value in sorted(environment.items()):
        digest.update(f"{name}={value}\0".encode())
    for path in _sources(project):
        digest.update(f"{path.relative_to(project)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def _versions() -> str:
    return ",".join(version(name) for name in ("dbt-core", "dbt-adapters", "lending-club-pipeline"))


def _sources(project: Path) -> Iterator[Path]:
    for path in sorted(project.rglob("*")):
        relative = path.relative_to(project)
        if path.is_file() and relative.parts[0] not in _NOT_SOURCES:
            yield path
