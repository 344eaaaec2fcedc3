"""A real API server of Kubernetes, without nodes: it accepts or refuses, and starts nothing.

It needs `etcd` (Debian: etcd-server) and `kubectl`, and `kube-apiserver` on the path or where
`tests/deployment/build_api_server` puts it.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deployment.engine import CACHE
from tests.operating.programs import free_port, started, wait_for

_TOKEN = "admin-token"
_CLUSTER_ADDRESSES = "10.96.0.0/16"


@dataclass(frozen=True)
class Cluster:
    """An API server, asked as its administrator.

    Attributes:
        config: file with its address and the administrator's token, as `kubectl` reads it.
    """

    config: Path

    def run(self, *command: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run `kubectl` or `helm`; return what it said, also if it failed."""
        return subprocess.run(
            command,
            input=given,
            capture_output=True,
            text=True,
            timeout=300,
            env={**os.environ, "KUBECONFIG": str(self.config)},
            check=False,
        )

    def do(self, *command: str, given: str | None = None) -> str:
        """The same, which must succeed without a warning; return what it printed."""
        done = self.run(*command, given=given)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        # The server warns of pods that their namespace would refuse.
        assert "arning" not in done.stderr, f"{command}\n{done.stderr}"
        return done.stdout

    def get(self, *what: str) -> dict[str, Any]:
        """Return an object, or a list of them."""
        return dict(yaml.safe_load(self.do("kubectl", "get", *what, "--output", "yaml")))


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path=str(CACHE / "bin"))
    if found is None:
        pytest.skip(f"{name} is not installed: see tests/deployment/api_server.py")
    return found


@contextmanager
def api_server(folder: Path) -> Iterator[Cluster]:
    """Run etcd and the API server while the body runs; their files lie in `folder`."""
    etcd, server, _ = _program("etcd"), _program("kube-apiserver"), _program("kubectl")
    clients, peers = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    port = free_port()
    key = folder / "accounts.key"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    (folder / "tokens.csv").write_text(f"{_TOKEN},admin,admin,system:masters\n")
    cluster = Cluster(_configuration(folder, port))
    keeps = [
        *(etcd, "--data-dir", str(folder / "etcd"), "--unsafe-no-fsync"),
        *("--listen-client-urls", clients, "--advertise-client-urls", clients),
        *("--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers),
        *("--initial-cluster", f"default={peers}"),
    ]
    serves = [
        *(server, "--etcd-servers", clients, "--bind-address", "127.0.0.1"),
        *("--secure-port", str(port), "--cert-dir", str(folder / "certificates")),
        *("--endpoint-reconciler-type", "none", "--authorization-mode", "RBAC"),
        *("--token-auth-file", str(folder / "tokens.csv")),
        *("--service-account-issuer", "https://kubernetes.default.svc"),
        *("--service-account-key-file", str(key), "--service-account-signing-key-file", str(key)),
        *("--service-cluster-ip-range", _CLUSTER_ADDRESSES),
    ]

    def is_ready() -> bool:
        return cluster.run("kubectl", "get", "--raw", "/readyz").stdout == "ok"

    def has_etcd() -> bool:
        return b"ready to serve" in (folder / "etcd.log").read_bytes()

    with ExitStack() as running:
        running.enter_context(started(keeps, has_etcd, folder / "etcd.log"))
        running.enter_context(started(serves, is_ready, folder / "server.log", seconds=120))
        # The server makes the namespace a moment after it is ready.
        wait_for(
            lambda: cluster.run("kubectl", "get", "namespace", "default").returncode == 0,
            60,
            "the namespace `default`",
        )
        yield cluster


def _configuration(folder: Path, port: int) -> Path:
    path = folder / "kubeconfig.yaml"
    certificates = {"certificate-authority": str(folder / "certificates" / "apiserver.crt")}
    address = {"server": f"https://127.0.0.1:{port}", **certificates}
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "test",
                "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
                "clusters": [{"name": "test", "cluster": address}],
                "users": [{"name": "test", "user": {"token": _TOKEN}}],
            }
        )
    )
    return path
