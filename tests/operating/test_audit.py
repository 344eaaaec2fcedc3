"""Who did what: lines of commands, and a journal in which no line can be changed unseen."""

import json
import os
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from lending_club_pipeline.config.settings import load_settings
from lending_club_pipeline.contract.errors import AuditError
from lending_club_pipeline.operating.audit import record, verify
from tests.commands import run as run_command
from tests.operating.programs import DEPLOY, program

LINES = [json.dumps({"user": "ann", "n": number}) for number in range(4)]
# Keys are made where only the machine's administrator may write: in a room of its own.
MAKE = """
mount -t tmpfs none /var/log && mkdir -p /var/log/journal/$(cat /etc/machine-id) || exit 77
journalctl --setup-keys --interval=1s > "$1/key" 2> /dev/null || exit 77
while read -r line; do echo "$line"; sleep 1.1; done < "$1/lines" | "$2" "$1/audit.journal"
"""


@dataclass
class Sealed:
    """A sealed journal, and the key that was printed once."""

    journal: Path
    key: str


def seal(folder: Path, lines: list[str]) -> Sealed:
    if not Path("/usr/lib/systemd/systemd-journal-remote").exists():
        pytest.skip("systemd-journal-remote is not installed: see .ci/run for the package")
    folder.mkdir(exist_ok=True)
    (folder / "lines").write_text("".join(f"{line}\n" for line in lines))
    script = str(DEPLOY / "audit" / "seal.sh")
    done = subprocess.run(
        [program("unshare"), "--mount", "sh", "-c", MAKE, "sh", str(folder), script],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 77 or "Operation not permitted" in done.stderr:
        pytest.skip("keys of a journal can be made by an administrator alone")
    assert done.returncode == 0, done.stderr
    return Sealed(folder / "audit.journal", (folder / "key").read_text().strip())


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    return seal(tmp_path_factory.mktemp("sealed"), LINES)


def test_a_log_that_nobody_changed_is_whole(sealed: Sealed) -> None:
    found = verify(sealed.journal, sealed.key)

    assert found.entries == len(LINES)


def test_one_changed_word_is_found(sealed: Sealed, tmp_path: Path) -> None:
    forged = tmp_path / "forged.journal"
    content = sealed.journal.read_bytes()
    assert LINES[1].encode() in content
    forged.write_bytes(content.replace(LINES[1].encode(), LINES[1].replace("ann", "vic").encode()))

    with pytest.raises(AuditError, match="changed after it was written"):
        verify(forged, sealed.key)


def test_a_log_that_was_written_anew_is_found(sealed: Sealed, tmp_path: Path) -> None:
    forged = seal(tmp_path / "again", [line.replace("ann", "vic") for line in LINES])

    with pytest.raises(AuditError, match="another key"):
        verify(forged.journal, sealed.key)


def test_a_log_that_is_not_sealed_proves_nothing(tmp_path: Path) -> None:
    remote = Path("/usr/lib/systemd/systemd-journal-remote")
    if not remote.exists():
        pytest.skip("systemd-journal-remote is not installed: see .ci/run for the package")
    entry = "__REALTIME_TIMESTAMP=1700000000000000\n__MONOTONIC_TIMESTAMP=1\n"
    entry += f"_BOOT_ID={'a' * 32}\nMESSAGE={LINES[0]}\n\n"
    journal = tmp_path / "plain.journal"
    subprocess.run([remote, f"--output={journal}", "-"], input=entry.encode(), check=True)

    with pytest.raises(AuditError, match="not sealed"):
        verify(journal, "183de7-c3849f-ffd8e4-c21b3b/1-1")


def test_the_command_ends_with_1_where_nothing_is_proven(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("key")
    arguments = ("audit", "verify", "missing.journal", "--key-file", "key")

    done = run_command(arguments, dict(os.environ), tmp_path)

    assert done.returncode == 1
    assert "there is no such file" in done.stderr


def test_a_command_is_written_down_before_it_is_done(tmp_path: Path) -> None:
    log = tmp_path / "commands.log"
    settings = load_settings({"audit_log": log})

    record(settings, "approve", {"as_of_date": "2026-03-09"})
    record(settings, "explain", {"account": "A"})

    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["action"] for line in lines] == ["approve", "explain"]
    assert lines[0]["as_of_date"] == "2026-03-09"
    assert all(line["user"] for line in lines)
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_what_cannot_be_written_down_is_not_done(tmp_path: Path) -> None:
    settings = load_settings({"audit_log": tmp_path / "no folder" / "commands.log"})

    with pytest.raises(AuditError, match="Nothing was done"):
        record(settings, "approve", {})


def test_without_a_file_nothing_is_written_down(tmp_path: Path) -> None:
    record(load_settings(), "approve", {})

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [("explain", "A"), ("approve", "2026-03-09", "--reason", "x")])
def test_commands_about_persons_and_approvals_are_written_down(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    log = tmp_path / "commands.log"

    run_command(command, {**os.environ, "AUDIT_LOG": str(log)}, tmp_path)

    assert json.loads(log.read_text())["action"] == command[0]
