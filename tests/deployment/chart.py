"""Dagster's Helm chart, with the schemas that its values must fit on this machine."""

import importlib.resources
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import dagster
import pytest

_REPOSITORY = "https://dagster-io.github.io/helm"
# The chart's schemas refer to a page of the internet for what Kubernetes defines.
_ELSEWHERE = re.compile(r"https://[^\"#]*/_definitions\.json")


def chart(folder: Path, version: str) -> Path:
    """Return a copy of the chart whose schemas need no network.

    Args:
        folder: where to make it.
        version: of Kubernetes, whose definitions the chart's schemas refer to.
    """
    copy = folder / "dagster"
    shutil.copytree(_original(folder / "pulled"), copy)
    definitions = folder / "definitions.json"
    definitions.write_text(_definitions(version))
    for schema in copy.rglob("values.schema.json"):
        schema.write_text(_ELSEWHERE.sub(definitions.as_uri(), schema.read_text()))
    return copy


def _original(folder: Path) -> Path:
    """Return the chart that DAGSTER_CHART names, else the one of the Dagster installed here."""
    if named := os.environ.get("DAGSTER_CHART"):
        return Path(named)
    pull = ["helm", "pull", "dagster", "--repo", _REPOSITORY, "--version", dagster.__version__]
    done = subprocess.run(
        [*pull, "--untar", "--untardir", str(folder)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode != 0:
        pytest.fail(f"the chart cannot be pulled, and DAGSTER_CHART is not set: {done.stderr}")
    return folder / "dagster"


def _definitions(version: str) -> str:
    """Return what Kubernetes defines, in the place where the chart's schemas look for it."""
    schemas = importlib.resources.files("kubernetes_validate") / "kubernetes-json-schema"
    text = (schemas / f"v{version}.0-local" / "_definitions.json").read_text()
    found = json.loads(re.sub(r"[^\"]*#/\$defs/", "#/definitions/", text))
    return json.dumps({"definitions": found["$defs"]})
