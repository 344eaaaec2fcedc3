"""The images that the tests run: of the registries, else of Debian's packages.

Nothing is built under a name that somebody else's compose file could ask for.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deployment.engine import CACHE, docker

ROOT = Path(__file__).parents[2]
PIPELINE = "lending-club-test/pipeline:local"
_PYTHON = "python:3.13-slim-trixie"
_POSTGRES = "postgres:17"
_LOCAL_PYTHON = "lending-club-test/python:local"
_LOCAL_BUILD = "lending-club-test/build:local"
_LOCAL_POSTGRES = "lending-club-test/postgres:local"
_PROGRAMS = {
    "NGINX_IMAGE": "nginx",
    "OAUTH2_PROXY_IMAGE": "oauth2-proxy",
    "PROMETHEUS_IMAGE": "prometheus",
    "ALERTMANAGER_IMAGE": "alertmanager",
}
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
_MINUTES = 60.0


def images() -> dict[str, str]:
    """Return the variables of compose.yaml for images that are there, after building ours."""
    local = not _is_pulled(_PYTHON)
    if local:
        _make_bases()
    variables = {
        "PYTHON_IMAGE": _LOCAL_PYTHON if local else _PYTHON,
        "BUILD_IMAGE": _LOCAL_BUILD if local else _PYTHON,
        "POSTGRES_IMAGE": _LOCAL_POSTGRES if local else _POSTGRES,
        "LENDING_CLUB_IMAGE": PIPELINE,
    }
    build_pipeline(variables, PIPELINE)
    return variables


def build_pipeline(variables: dict[str, str], tag: str, **environment: str) -> None:
    """Build our image on the bases that the variables name, with these variables of docker's."""
    arguments = [
        f"--build-arg={name}={variables[name]}" for name in ("PYTHON_IMAGE", "BUILD_IMAGE")
    ]
    dockerfile = ROOT / "deploy" / "docker" / "Dockerfile"
    # Each build leaves the build stage of the last one without a name.
    _build(ROOT, dockerfile, tag, *arguments, **environment)


def programs() -> dict[str, str]:
    """Return the variables for images of other projects; none where compose.yaml's are pulled."""
    if _is_pulled(_PYTHON):
        return {}
    binary = CACHE / "bin" / "oauth2-proxy"
    if not binary.exists():
        pytest.fail("no image registry is reached, and oauth2-proxy is not built: see .ci/run")
    folder = CACHE / "programs"
    shutil.copytree(Path(__file__).parent / "programs", folder, dirs_exist_ok=True)
    shutil.copy(binary, folder)
    for name in _PROGRAMS.values():
        arguments = (f"--build-arg=BASE_IMAGE={_LOCAL_PYTHON}", f"--target={name}")
        _build(folder, folder / "Dockerfile", _local(name), *arguments)
    shutil.rmtree(folder)
    return {variable: _local(name) for variable, name in _PROGRAMS.items()}


def _local(name: str) -> str:
    return f"lending-club-test/{name}:local"


def _is_pulled(image: str) -> bool:
    pull = ["docker", "pull", "--quiet", image]
    return subprocess.run(pull, capture_output=True, timeout=600, check=False).returncode == 0


def _exists(image: str) -> bool:
    look = ["docker", "image", "inspect", image]
    return subprocess.run(look, capture_output=True, check=False).returncode == 0


def _build(context: Path, dockerfile: Path, tag: str, *arguments: str, **environment: str) -> None:
    docker(
        *("build", "--quiet", "--file", str(dockerfile), "--tag", tag),
        *(*arguments, str(context)),
        timeout=60 * _MINUTES,
        **environment,
    )


def _make_bases() -> None:
    if not _exists(_LOCAL_PYTHON):
        _import_debian()
    if not _exists(_LOCAL_BUILD):
        _build_with_host_certificates()
    if not _exists(_LOCAL_POSTGRES):
        folder = Path(__file__).parent / "postgres"
        _build(
            folder,
            folder / "Dockerfile",
            _LOCAL_POSTGRES,
            f"--build-arg=BASE_IMAGE={_LOCAL_PYTHON}",
        )


def _import_debian() -> None:
    if shutil.which("debootstrap") is None:
        pytest.fail("no image registry is reached, and debootstrap is not installed")
    root = CACHE / "debian"
    shutil.rmtree(root, ignore_errors=True)
    packages = "ca-certificates,python3,python3-venv"
    subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={packages}", "trixie", str(root)],
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=60 * _MINUTES,
    )
    for litter in (*root.glob("var/cache/apt/archives/*.deb"), *root.glob("var/lib/apt/lists/*_*")):
        litter.unlink()
    path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    with subprocess.Popen(["tar", "-C", str(root), "-c", "."], stdout=subprocess.PIPE) as tar:
        subprocess.run(
            ["docker", "import", "--change", f"ENV {path}", "-", _LOCAL_PYTHON],
            stdin=tar.stdout,
            stdout=subprocess.DEVNULL,
            check=True,
            timeout=10 * _MINUTES,
        )
    shutil.rmtree(root)


def _build_with_host_certificates() -> None:
    """Make a base for the build stage that trusts what this machine trusts."""
    folder = CACHE / "build"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(_AUTHORITIES, folder / "authorities.crt")
    (folder / "Dockerfile").write_text(
        f"FROM {_LOCAL_PYTHON}\n"
        f"COPY authorities.crt {_AUTHORITIES}\n"
        f"ENV PIP_CERT={_AUTHORITIES} SSL_CERT_FILE={_AUTHORITIES}\n"
    )
    _build(folder, folder / "Dockerfile", _LOCAL_BUILD)
    shutil.rmtree(folder)
