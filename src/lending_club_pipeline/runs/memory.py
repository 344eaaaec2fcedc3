"""Memory that this machine allows a run, compared with `MEMORY_LIMIT`."""

import os
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lending_club_pipeline.config.values import parse_bytes
from lending_club_pipeline.contract.errors import ConfigurationError
from lending_club_pipeline.contract.preflight_results import PreflightResult

_SUBJECT: Final = "memory"
_ROOT: Final = Path("/")
# Mapped but not resident memory: a run with 350 MiB resident had 1,500 MiB of addresses.
_ADDRESSES_BEYOND: Final = 1280 * 2**20
# Below this, the engine aborts or hangs; the smallest delivery takes 350 MiB.
_LEAST_BYTES: Final = 320 * 2**20
# Control groups of version 1 write a number above this if there is no limit.
_NO_BOUND: Final = 2**62


@dataclass(frozen=True)
class MemoryBound:
    """A memory limit of this process.

    Attributes:
        giver: the source of the limit, in words.
        size: memory that a run may hold, in bytes.
        remedy: how to get more.
    """

    giver: str
    size: int
    remedy: str


def memory_bounds(root: Path = _ROOT) -> Iterator[MemoryBound]:
    """Yield the limits of the machine, of the process's control groups and of the process.

    Args:
        root: folder that holds `proc` and `sys`.
    """
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    yield MemoryBound("this machine has", machine, "take a larger machine")
    group = min(_of_control_groups(root), default=None)
    if group is not None:
        give = "give the container, pod or service more"
        yield MemoryBound("the control group of this process allows", group, give)
    for name, limit, beyond in (
        ("ulimit -v", resource.RLIMIT_AS, _ADDRESSES_BEYOND),
        ("ulimit -d", resource.RLIMIT_DATA, 0),
    ):
        size = resource.getrlimit(limit)[0]
        if size != resource.RLIM_INFINITY:
            yield MemoryBound(f"{name} allows", max(size - beyond, 0), f"raise {name}")


def check_memory(memory_limit: str, root: Path = _ROOT) -> PreflightResult:
    """Compare `MEMORY_LIMIT` with the limits; it is a problem if no run can succeed.

    Args:
        memory_limit: the setting.
        root: folder that holds `proc` and `sys`.
    """
    least = min(memory_bounds(root), key=lambda bound: bound.size)
    shown = f"MEMORY_LIMIT={memory_limit}"
    if least.size < _LEAST_BYTES:
        needed = (
            f"a run of any size needs more than the {_in_words(least)}. To go on, {least.remedy}."
        )
        return PreflightResult(_SUBJECT, "problem", needed)
    if parse_bytes(memory_limit) <= least.size:
        return PreflightResult(_SUBJECT, "ok", f"{shown} of the {_in_words(least)}")
    return PreflightResult(
        _SUBJECT,
        "warning",
        f"{shown} is more than the {_in_words(least)}: a large delivery would be killed or fail. "
        f"Set MEMORY_LIMIT lower, or {least.remedy}.",
    )


def warning_of(found: PreflightResult) -> str:
    """Return a warning before a run begins; empty if there is none.

    Args:
        found: result of `check_memory`.

    Raises:
        ConfigurationError: no run can succeed.
    """
    if found.verdict == "problem":
        raise ConfigurationError(found.detail)
    return found.detail if found.verdict == "warning" else ""


def _in_words(bound: MemoryBound) -> str:
    return f"{bound.size / 2**30:,.2f} GiB that {bound.giver}"


def _of_control_groups(root: Path) -> Iterator[int]:
    """Yield the limits of the process's control groups and of their parents."""
    for controllers, path in _control_groups(root):
        top = root / "sys/fs/cgroup" / ("memory" if controllers else "")
        names = ["memory.limit_in_bytes"] if controllers else ["memory.max", "memory.high"]
        # In a container the path is the host's, but the mounted group is the container's own.
        inner = top / path.lstrip("/")
        groups = [it for it in (inner, *inner.parents) if it == top or top in it.parents]
        for group in groups:
            yield from (size for name in names if (size := _read(group / name)) is not None)


def _control_groups(root: Path) -> Iterator[tuple[str, str]]:
    """Yield controllers (empty in version 2) and path of each group that limits memory."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers or "memory" in controllers.split(","):
            yield controllers, path


def _read(file: Path) -> int | None:
    try:
        text = file.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() and int(text) < _NO_BOUND else None
