"""The image holds what a run needs, and nothing that it must not."""

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.deployment.engine import docker
from tests.deployment.images import PIPELINE, build_pipeline

pytestmark = pytest.mark.docker

# docs/docker.md says what the parts are.
_LARGEST_BYTES = 1_050_000_000
_HARDENED = (
    "--read-only",
    *("--tmpfs", "/tmp"),  # noqa: S108 - in the container
    *("--cap-drop", "ALL"),
    *("--security-opt", "no-new-privileges"),
)


@pytest.fixture(scope="module")
def inspected(variables: dict[str, str]) -> dict[str, object]:
    image: dict[str, object] = json.loads(docker("image", "inspect", PIPELINE))[0]
    return image


def in_image(command: str, image: str = PIPELINE) -> str:
    return docker("run", "--rm", *_HARDENED, "--entrypoint", "/bin/sh", image, "-c", command)


def test_one_command_processes_a_delivery_in_a_mounted_folder(
    variables: dict[str, str], tmp_path: Path, sample: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(sample, data / "inputs")

    printed = docker(
        *("run", "--rm", *_HARDENED, "--network", "none"),
        *("--user", f"{os.geteuid()}:{os.getegid()}", "--volume", f"{data}:/data"),
        *(PIPELINE, "run"),
        timeout=600,
    )

    assert "Every record and every cent is accounted for." in printed
    assert len((data / "outputs" / "account_summary.csv").read_text().splitlines()) == 574
    assert len(list((data / ".dagster" / "dbt").iterdir())) == 1, "the dbt project came parsed"


_FILES = "cd /opt && find . -type f -not -name '*.pyc' -not -path './parsed/*' | xargs sha256sum"
# These hold the time of the build, or a checksum of a file that does; and four of dbt's packages
# bring the last one: which of them is installed last differs.
_DIFFERENT = ("sbom.cdx.json", "uv_cache.json", "dist-info/RECORD", "dbt/__init__.py")


def _checksums(image: str) -> dict[str, str]:
    """Return the checksum of each file of the libraries and of the project, by its path."""
    sums = (line.split(maxsplit=1) for line in in_image(_FILES, image).splitlines())
    files = {path: checksum for checksum, path in sums}
    assert len(files) > 10_000
    return {it: files[it] for it in files if not it.endswith(_DIFFERENT)}


@pytest.mark.parametrize("buildkit", ["0", "1"], ids=["legacy builder", "BuildKit"])
def test_both_builders_build_the_same_image(
    variables: dict[str, str], inspected: dict[str, object], buildkit: str
) -> None:
    config = inspected["Config"]
    assert isinstance(config, dict)
    image = f"{PIPELINE}-by-builder-{buildkit}"

    build_pipeline(variables, image, DOCKER_BUILDKIT=buildkit)

    built = json.loads(docker("image", "inspect", image))[0]
    for name in ("Labels", "User", "Env", "Entrypoint", "Cmd", "ExposedPorts"):
        assert built["Config"][name] == config[name]
    usual, files = _checksums(PIPELINE), _checksums(image)
    assert [it for it in usual.keys() | files.keys() if usual.get(it) != files.get(it)] == []


def test_it_is_no_root_and_has_no_tools_that_build(inspected: dict[str, object]) -> None:
    config = inspected["Config"]
    assert isinstance(config, dict)
    assert config["User"] == "10001:10001"
    assert in_image("id -u") == "10001"
    assert in_image("command -v gcc cc uv git curl || true") == ""


def test_it_says_what_it_is_and_what_is_in_it(inspected: dict[str, object]) -> None:
    config = inspected["Config"]
    assert isinstance(config, dict)
    labels = {name.rpartition(".")[2] for name in config["Labels"]}
    assert {"title", "description", "licenses", "version", "revision"} <= labels

    bill = json.loads(in_image("cat /opt/venv/sbom.cdx.json"))
    named = {item["name"]: item["version"] for item in bill["components"]}
    installed = in_image(
        "python -c 'import dagster, duckdb; print(dagster.__version__, duckdb.__version__)'"
    )
    assert f"{named['dagster']} {named['duckdb']}" == installed


def test_it_is_no_larger_than_documented(inspected: dict[str, object]) -> None:
    assert int(str(inspected["Size"])) < _LARGEST_BYTES


def test_neither_secrets_nor_the_build_are_left_in_it(inspected: dict[str, object]) -> None:
    config = inspected["Config"]
    assert isinstance(config, dict)
    assert not [
        name for name in config["Env"] if any(it in name for it in ("PASS", "TOKEN", "CERT"))
    ]
    left = (
        "ls -A ~root/.cache /build /tools /app /opt/venv/.lock 2>/dev/null; find / -xdev -name .env"
    )
    assert in_image(f"({left}) || true") == ""


def test_wrong_settings_end_it_with_one_line(variables: dict[str, str]) -> None:
    wrong = "DATABASE_TYPE=nonsense"
    said = docker(
        *("run", "--rm", *_HARDENED, "--env", wrong, "--entrypoint", "/bin/sh", PIPELINE),
        *("-c", "lending-club-entrypoint dagster-webserver 2>&1 || echo $?"),
    )
    lines = said.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("Error: DATABASE_TYPE=nonsense is not allowed")
    assert lines[1] == "2"
