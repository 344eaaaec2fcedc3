"""What a run may take is compared with what the machine, its control group and `ulimit` give."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from lending_club_pipeline.contract.errors import ConfigurationError
from lending_club_pipeline.runs.memory import (
    MemoryBound,
    check_memory,
    memory_bounds,
    warning_of,
)

GIB = 2**30


def machine(root: Path, groups: str, **files: str) -> Path:
    """A machine's `proc` and `sys`: the groups of the process, and what files of `sys` say."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups)
    for name, text in files.items():
        path = root / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root


def of_group(root: Path) -> list[int]:
    return [bound.size for bound in memory_bounds(root) if "control group" in bound.giver]


def test_version_2_of_control_groups_is_read(tmp_path: Path) -> None:
    root = machine(tmp_path, "0::/app\n", **{"app/memory.max": str(GIB), "app/memory.high": "max"})

    assert of_group(root) == [GIB]


def test_the_narrowest_of_nested_groups_counts(tmp_path: Path) -> None:
    files = {"pod/memory.max": str(GIB), "pod/app/memory.max": "max", "memory.max": str(4 * GIB)}

    assert of_group(machine(tmp_path, "0::/pod/app\n", **files)) == [GIB]


def test_pressure_counts_as_a_bound(tmp_path: Path) -> None:
    files = {"app/memory.max": str(2 * GIB), "app/memory.high": str(GIB)}

    assert of_group(machine(tmp_path, "0::/app\n", **files)) == [GIB]


def test_in_a_container_the_group_is_what_is_mounted(tmp_path: Path) -> None:
    root = machine(tmp_path, "0::/kubepods/not/mounted/here\n", **{"memory.max": str(GIB)})

    assert of_group(root) == [GIB]


def test_version_1_of_control_groups_is_read(tmp_path: Path) -> None:
    root = machine(
        tmp_path,
        "9:name=systemd:/\n4:memory:/docker/abc\n1:cpu,cpuacct:/\n0::/\n",
        **{"memory/docker/abc/memory.limit_in_bytes": str(GIB)},
    )

    assert of_group(root) == [GIB]


def test_no_bound_of_version_1_is_none(tmp_path: Path) -> None:
    files = {"memory/memory.limit_in_bytes": str(0x7FFFFFFFFFFFF000)}

    assert of_group(machine(tmp_path, "4:memory:/\n", **files)) == []


@pytest.mark.parametrize("groups", ["", "0::/gone\n"])
def test_a_machine_without_bounds_of_groups_has_its_own(tmp_path: Path, groups: str) -> None:
    bounds = list(memory_bounds(machine(tmp_path, groups)))

    assert bounds[0].giver == "this machine has"
    assert bounds[0].size > GIB // 2
    assert of_group(tmp_path) == []


def test_a_limit_that_fits_is_well(tmp_path: Path) -> None:
    root = machine(tmp_path, "0::/\n", **{"memory.max": str(GIB)})

    found = check_memory("768MiB", root)

    assert found.verdict == "ok"
    assert found.detail == (
        "MEMORY_LIMIT=768MiB of the 1.00 GiB that the control group of this process allows"
    )


def test_a_limit_that_is_too_high_says_by_what_and_what_to_do(tmp_path: Path) -> None:
    root = machine(tmp_path, "0::/\n", **{"memory.max": str(GIB)})

    found = check_memory("2GiB", root)

    assert found.verdict == "warning"
    assert found.detail == (
        "MEMORY_LIMIT=2GiB is more than the 1.00 GiB that the control group of this process "
        "allows: a large delivery would be killed or fail. Set MEMORY_LIMIT lower, or give the "
        "container, pod or service more."
    )


def test_less_than_any_run_needs_is_a_problem_that_ends_a_run(tmp_path: Path) -> None:
    root = machine(tmp_path, "0::/\n", **{"memory.max": str(GIB // 4)})

    found = check_memory("768MiB", root)

    assert found.verdict == "problem"
    with pytest.raises(ConfigurationError, match=r"needs more than the 0\.25 GiB that the control"):
        warning_of(found)


@pytest.mark.parametrize(("option", "held"), [("-v", 4 * GIB - 1280 * 2**20), ("-d", 4 * GIB)])
def test_ulimit_is_asked(option: str, held: int) -> None:
    bound = "RLIMIT_AS" if option == "-v" else "RLIMIT_DATA"
    script = (
        f"import resource; resource.setrlimit(resource.{bound}, ({4 * GIB}, {4 * GIB}))\n"
        "from lending_club_pipeline.runs.memory import memory_bounds\n"
        f"print([it for it in memory_bounds() if it.giver == 'ulimit {option} allows'])"
    )

    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)  # noqa: PLW1510 - its output says it

    expected = MemoryBound(f"ulimit {option} allows", held, f"raise ulimit {option}")
    assert ended.stdout.strip() == str([expected]), ended.stderr


def test_without_ulimit_none_is_shown(tmp_path: Path) -> None:
    if resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY:
        pytest.skip("this shell has one")

    assert not any("ulimit -v" in bound.giver for bound in memory_bounds(tmp_path))
