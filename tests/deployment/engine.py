"""A Docker engine for the tests: the one that runs, else one of our own that leaves no trace."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lending-club-test"
# Where the kernel (with cgroups of version 1, of version 2) keeps what all containers count for: by
# default as much as one process beside them, ten times as much here.
_SHARES = {
    Path("/sys/fs/cgroup/cpu/docker/cpu.shares"): "10240",
    Path("/sys/fs/cgroup/docker/cpu.weight"): "1000",
}
_START_SECONDS = 60.0
_END_SECONDS = 30.0


def docker(*arguments: str, timeout: float = 120.0, **variables: str) -> str:
    """Run the docker client with variables beside those of this process; return what it printed."""
    done = subprocess.run(
        ["docker", *arguments],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, f"docker {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
    return done.stdout.strip()


def host() -> str:
    """Return the address of this machine that containers reach."""
    gateway = "{{(index .IPAM.Config 0).Gateway}}"
    return docker("network", "inspect", "bridge", "--format", gateway)


def answers() -> bool:
    """Whether the engine that DOCKER_HOST names, or the usual one, answers."""
    done = subprocess.run(["docker", "info"], capture_output=True, timeout=60, check=False)
    return done.returncode == 0


def why_none() -> str | None:
    """Say why there is no engine here, or None if one can be had."""
    if shutil.which("docker") is None:
        return "no docker client is installed"
    if answers():
        return None
    if os.geteuid() != 0 or shutil.which("dockerd") is None:
        return "no Docker engine answers, and none can be started: that needs root and dockerd"
    return None


@contextmanager
def engine() -> Iterator[None]:
    """Have an engine answer while the body runs."""
    if answers():
        yield
        return
    folder = CACHE / "engine"
    folder.mkdir(parents=True, exist_ok=True)
    before = _firewall()
    forwarding = Path("/proc/sys/net/ipv4/ip_forward")
    forwarded = forwarding.read_text()
    bridges = _bridges()
    _favour_containers()
    process = _started(folder)
    os.environ["DOCKER_HOST"] = f"unix://{folder / 'docker.sock'}"
    try:
        _wait_for_answer(folder)
        yield
    finally:
        del os.environ["DOCKER_HOST"]
        process.send_signal(signal.SIGTERM)
        process.wait(_END_SECONDS)
        for bridge in _bridges() - bridges:
            subprocess.run(["ip", "link", "delete", bridge], check=True)
        _restore_firewall(before)
        forwarding.write_text(forwarded)
        for file in _SHARES:
            with suppress(OSError):
                file.parent.rmdir()


def _favour_containers() -> None:
    """Let services become healthy in time while the machine has other work, too."""
    for file, share in _SHARES.items():
        with suppress(OSError):
            file.parent.mkdir(exist_ok=True)
            file.write_text(share)


def _started(folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "dockerd.log").open("wb") as log:
        return subprocess.Popen(
            [
                "dockerd",
                *("--data-root", str(folder / "data"), "--exec-root", str(folder / "exec")),
                *("--host", f"unix://{folder / 'docker.sock'}"),
                *("--pidfile", str(folder / "dockerd.pid")),
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def _wait_for_answer(folder: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not answers():
        assert time.monotonic() < deadline, (folder / "dockerd.log").read_text()[-2000:]
        time.sleep(0.5)


def _bridges() -> set[str]:
    return {path.parent.name for path in Path("/sys/class/net").glob("*/bridge")}


def _firewall() -> str:
    return subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout


def _restore_firewall(before: str) -> None:
    """Put back the rules as they were; where there were none, all tables are emptied."""
    for table in {line[1:] for line in _firewall().splitlines() if line.startswith("*")}:
        chains = "".join(
            f":{chain} ACCEPT\n"
            for chain in ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")
            if _has(table, chain)
        )
        empty = f"*{table}\n{chains}COMMIT\n"
        subprocess.run(["iptables-restore"], input=empty, text=True, check=True)
    if before:
        subprocess.run(["iptables-restore"], input=before, text=True, check=True)


def _has(table: str, chain: str) -> bool:
    asked = ["iptables", "-t", table, "-n", "-L", chain]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0
