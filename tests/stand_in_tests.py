"""Run the stand-in's own tests, unless they have passed on what is here.

`python -m tests.stand_in_tests [--always]`. What passed is noted in the package's `tested.json`,
which is committed with the change: a digest of its code, its tests and the locked version of all
that it needs, and each Python on which they passed.
"""

import hashlib
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
NAME = "databricks-stand-in"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True)
class Package:
    """The stand-in in a checkout.

    Attributes:
        root: folder of the checkout.
    """

    root: Path

    @property
    def folder(self) -> Path:
        """Folder of the package."""
        return self.root / "packages" / NAME

    @property
    def _record(self) -> Path:
        return self.folder / "tested.json"

    def digest(self) -> str:
        """Return the SHA-256 of all that its tests depend on."""
        found = hashlib.sha256()
        for path in self._files():
            name = path.relative_to(self.folder).as_posix()
            found.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
        locked = tomllib.loads((self.root / "uv.lock").read_text())["package"]
        for version in sorted(needed(locked)):
            found.update(f"{version}\n".encode())
        return found.hexdigest()

    def _files(self) -> list[Path]:
        parts = (path for part in ("src", "tests") for path in (self.folder / part).rglob("*"))
        files = (it for it in parts if it.is_file() and "__pycache__" not in it.parts)
        return sorted([*files, self.folder / "pyproject.toml"])

    def passed_on(self, digest: str) -> list[str]:
        """Return the versions of Python on which the tests passed with a digest."""
        if not self._record.exists():
            return []
        noted = json.loads(self._record.read_text())
        return list(noted["python"]) if noted["digest"] == digest else []

    def note(self, digest: str) -> None:
        """Note that the tests passed here with a digest; those of another one are forgotten."""
        versions = sorted({*self.passed_on(digest), PYTHON})
        self._record.write_text(json.dumps({"digest": digest, "python": versions}, indent=2) + "\n")


def needed(locked: list[dict[str, Any]]) -> set[str]:
    """Return name and version of all packages of a lock file that the stand-in needs."""
    by_name: dict[str, list[dict[str, Any]]] = {}
    for package in locked:
        by_name.setdefault(package["name"], []).append(package)
    seen, waiting = set(), [NAME]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += [it for package in by_name[name] for it in _needs(package)]
    return {f"{name} {package['version']}" for name in seen for package in by_name[name]}


def _needs(package: dict[str, Any]) -> Iterator[str]:
    groups: Iterable[list[dict[str, Any]]] = (
        package.get("dependencies", []),
        *package.get("optional-dependencies", {}).values(),
        *package.get("dev-dependencies", {}).values(),
    )
    yield from (dependency["name"] for group in groups for dependency in group)


def run_tests(root: Path, *, always: bool) -> int:
    """Run the tests, unless they have passed on what is here; return 0 if they pass.

    Args:
        root: folder of the checkout.
        always: run them in any case.
    """
    package = Package(root)
    digest = package.digest()
    if not always and PYTHON in package.passed_on(digest):
        return 0
    # All of them: no option of the shell leaves any out.
    environment = {name: it for name, it in os.environ.items() if name != "PYTEST_ADDOPTS"}
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadfile"]
    ended = subprocess.run([*command, package.folder], env=environment, cwd=root, check=False)
    if ended.returncode == 0:
        package.note(digest)
    return ended.returncode


if __name__ == "__main__":
    sys.exit(run_tests(ROOT, always="--always" in sys.argv))
