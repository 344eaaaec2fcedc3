"""Audit: record commands of people, and verify a sealed log."""

import getpass
import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lending_club_pipeline.config import clock
from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.errors import AuditError

_SEALED: Final = re.compile(r"^Compatible flags:.*\bSEALED\b", re.MULTILINE)
_ENTRIES: Final = re.compile(r"^Entry objects: (\d+)", re.MULTILINE)
_VALIDATED: Final = re.compile(r"^=> (Validated from .*)$", re.MULTILINE)


@dataclass(frozen=True)
class WholeLog:
    """A sealed log without changes.

    Attributes:
        entries: how many lines it has.
        validated: the sealed period, in journalctl's words.
    """

    entries: int
    validated: str


def record(settings: DataPlatformConfig, action: str, about: Mapping[str, str]) -> None:
    """Record an action of a person, before it is done.

    Args:
        settings: the project's settings; nothing is written without `audit_log`.
        action: name of the command.
        about: arguments of the action; no personal data.

    Raises:
        AuditError: the log cannot be written; the command must not go on then.
    """
    log = settings.operating.audit_log
    if log is None:
        return
    line = {
        "time": clock.now().isoformat(timespec="seconds"),
        "user": login(),
        "action": action,
        **about,
    }
    try:
        # One write, so that lines of several processes do not mix.
        descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, f"{json.dumps(line)}\n".encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise AuditError(
            f"AUDIT_LOG={log}: it cannot be written ({error.strerror}). Nothing was "
            "done; give the user who runs this the right, or name another file."
        ) from None


def login() -> str:
    """Return the name of the operating system's user, or its number if it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may have a user without a name.
        return str(os.getuid())


def verify(journal: Path, key: str) -> WholeLog:
    """Verify a journal that was sealed by deploy/audit/seal.sh.

    Args:
        journal: the file.
        key: the verification key, which was kept elsewhere.

    Raises:
        AuditError: it is not sealed, was sealed with another key, or was changed.
    """
    if not journal.is_file():
        raise AuditError(f"{journal}: there is no such file. Name the journal that seal.sh writes.")
    header = _journalctl(journal, "--header")
    if not _SEALED.search(header.stdout):
        # Otherwise a file that was rewritten without seals would pass.
        raise AuditError(f"{journal}: it is not sealed, so that it proves nothing.")
    done = _journalctl(journal, "--verify", f"--verify-key={key}")
    said = done.stdout + done.stderr
    validated = _VALIDATED.search(said)
    if done.returncode != 0 or validated is None:
        lines = [line for line in said.splitlines() if line.strip()]
        why = next((it for it in lines if "corruption" in it or "FAIL" in it), "".join(lines[-1:]))
        raise AuditError(
            f"{journal}: it was changed after it was written, or sealed with another key: {why}"
        )
    entries = _ENTRIES.search(header.stdout)
    return WholeLog(int(entries[1]) if entries else 0, validated[1])


def _journalctl(journal: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "LC_ALL": "C", "SYSTEMD_COLORS": "0"}
    try:
        return subprocess.run(
            ["journalctl", f"--file={journal}", "--no-pager", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise AuditError(
            "journalctl is not installed. Verify on a machine with systemd 252 or newer."
        ) from None
