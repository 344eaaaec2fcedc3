"""A Postgres server on loopback, with TLS and a password, in a temporary folder."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from databricks_stand_in.certificates import make_certificates

# What a URL would have to escape.
PASSWORD = "pass/word @1:%"
_USER = "dagster"


@dataclass(frozen=True)
class PostgresServer:
    """A server that answers.

    Attributes:
        port: where it listens, on localhost.
        authorities: file of the certificates to trust.
    """

    port: int
    authorities: Path

    def settings(self) -> dict[str, object]:
        """Return the settings that lead to it, by field name."""
        return {
            "dagster_postgres_host": "localhost",
            "dagster_postgres_port": self.port,
            "dagster_postgres_password": PASSWORD,
            "dagster_postgres_ca_file": self.authorities,
        }


def is_installed() -> bool:
    """Whether this machine has what a server needs."""
    return shutil.which("initdb", path=_path()) is not None


def _path() -> str:
    """Return where to look for Postgres' programs; Debian puts them beside the usual places."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return os.pathsep.join((os.environ.get("PATH", os.defpath), *map(str, folders)))


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Run a server whose only database and role are `dagster`.

    Its folder is none of pytest's: each session of pytest that begins closes those to other users,
    and one of the tests begins a session.
    """
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        yield from _serve(Path(folder))


def _serve(folder: Path) -> Iterator[PostgresServer]:
    make_certificates(folder)
    password, data = folder / "password", folder / "data"
    password.write_text(PASSWORD)
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        port = tried.getsockname()[1]
    _give_away(folder)
    _run("initdb", "--username", _USER, "--pwfile", password, "--auth", "scram-sha-256", "-D", data)
    (data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
    options = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": folder,
        "fsync": "off",
        "ssl": "on",
        "ssl_cert_file": folder / "server.pem",
        "ssl_key_file": folder / "server.pem",
    }
    said = " ".join(f"-c {name}={value}" for name, value in options.items())
    log = folder / "server.log"
    _run("pg_ctl", "-D", data, "-w", "-l", log, "-o", said, "start")
    try:
        _create_database(port, folder)
        yield PostgresServer(port, folder / "ca.pem")
    finally:
        _run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


def _create_database(port: int, folder: Path) -> None:
    environment = {
        "PGPASSWORD": PASSWORD,
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": str(folder / "ca.pem"),
    }
    create = ["createdb", "-h", "localhost", "-p", port, "-U", _USER, "--maintenance-db=postgres"]
    _run(*create, "dagster", environment=environment)


def _give_away(folder: Path) -> None:
    """Postgres does not run as root: as root, another user owns its files."""
    if os.geteuid() != 0:
        return
    for path in (folder, *folder.iterdir()):
        shutil.chown(path, "postgres", "postgres")


def _run(*command: object, environment: dict[str, str] | None = None) -> None:
    as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    done = subprocess.run(
        [*(as_postgres if os.geteuid() == 0 else ()), *map(str, command)],
        # Nothing of the developer's home, such as certificates, takes part.
        env={**os.environ, "PATH": _path(), "HOME": "/nonexistent", **(environment or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
