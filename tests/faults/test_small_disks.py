"""Real file systems that are full or read-only: a message, old outputs, and a next run that works.

They are mounted in a namespace of their own, where the operating system lets a test do that.
"""

import hashlib
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workspaces import AS_OF, Workspace

_NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-euc")
_RUN = f"{shlex.quote(sys.executable)} -m lending_club_pipeline run --as-of {AS_OF}"


def _can_mount(folder: Path) -> bool:
    program = f"mount -t tmpfs -o size=1m tmpfs {shlex.quote(str(folder))}"
    try:
        return (
            subprocess.run([*_NAMESPACE, program], check=False, capture_output=True).returncode == 0
        )
    except FileNotFoundError:
        return False


@pytest.fixture
def mounting(tmp_path: Path) -> None:
    if not _can_mount(tmp_path):
        pytest.skip("the operating system lets this user mount nothing, not even in a namespace")


def _twice(workspace: Workspace, folder: Path, spoil: str, mend: str) -> tuple[str, list[str]]:
    """Run on a spoilt folder, mend it, run again; return the first message and both outcomes.

    What lies in the folder stays there: it is copied onto the mounted file system and back.
    """
    place, kept = shlex.quote(str(folder)), shlex.quote(str(folder.with_name("kept")))
    outputs = shlex.quote(str(workspace.outputs))
    program = f"""
        mkdir -p {place}; cp -a {place} {kept}
        {spoil.format(place=place, kept=kept)}
        code=0; {_RUN} 2>first.txt >/dev/null || code=$?; echo first $code
        sha256sum {outputs}/account_summary.csv | cut -d' ' -f1
        {mend.format(place=place, kept=kept)}
        code=0; {_RUN} 2>second.txt >/dev/null || code=$?; echo second $code
        sha256sum {outputs}/account_summary.csv | cut -d' ' -f1
    """
    ended = subprocess.run(
        [*_NAMESPACE, program],
        env=workspace.environment(),
        cwd=workspace.root,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert ended.returncode == 0, ended.stderr
    message = (workspace.root / "first.txt").read_text()
    assert "Traceback" not in message
    return message, ended.stdout.split("\n")


_TMPFS = "mount -t tmpfs -o size={size} tmpfs {{place}}; cp -a {{kept}}/. {{place}}/"
# No room for another delivery: the size of what is kept. `du` also counts folders; tmpfs does not.
_NO_LARGER = "$(du -sk {kept} | cut -f1)k"
_LARGER = "mount -o remount,size=64m {place}"
_READ_ONLY = "mount --bind {place} {place}; mount -o remount,bind,ro {place}"
_WRITABLE = "mount -o remount,bind,rw {place}"


@pytest.mark.exhaustive
@pytest.mark.usefixtures("mounting")
@pytest.mark.parametrize(
    ("name", "spoil", "mend", "said"),
    [
        pytest.param(
            "outputs", _TMPFS.format(size="512k"), _LARGER, "the disk is full", id="full outputs"
        ),
        pytest.param(
            "landing",
            _TMPFS.format(size=_NO_LARGER),
            _LARGER,
            "the disk is full",
            id="full landing",
        ),
        pytest.param(
            "outputs", _READ_ONLY, _WRITABLE, "Read-only file system", id="read-only outputs"
        ),
        pytest.param(
            "landing", _READ_ONLY, _WRITABLE, "Read-only file system", id="read-only landing"
        ),
    ],
)
def test_a_disk_that_cannot_take_more_is_named_and_the_next_run_needs_no_help(
    after_good_run: Workspace, name: str, spoil: str, mend: str, said: str
) -> None:
    folder = after_good_run.root / name
    old = hashlib.sha256(after_good_run.output_bytes()["account_summary.csv"]).hexdigest()

    message, outcomes = _twice(after_good_run, folder, spoil, mend)

    assert outcomes[0] == "first 1"
    assert outcomes[2] == "second 0"
    assert outcomes[1] == old
    assert outcomes[3] not in {old, ""}
    failed = next(line for line in message.splitlines() if line.startswith("Failed: "))
    assert str(folder) in failed
    assert said in failed
    assert "The last good outputs are unchanged" in failed
