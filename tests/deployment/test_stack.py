"""The four services on a real Docker engine do what docs/docker.md promises."""

import json
import shutil
import time
from pathlib import Path

import pytest

from tests.deployment.engine import docker
from tests.deployment.stack import ENDED, SERVICES, Stack, wait_for

pytestmark = pytest.mark.docker

_OURS = SERVICES[:3]
_DAY = "2026-11-01"


def deliver(stack: Stack, sample: Path, day: str) -> None:
    """Drop a delivery into the inputs folder, as old as the sensor wants it."""
    folder = stack.inputs / day
    if folder.exists():
        return
    shutil.copytree(sample, folder)
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)


def settled(stack: Stack, sample: Path) -> None:
    """Have one delivery processed, by the sensor, and no run under way."""
    deliver(stack, sample, _DAY)
    wait_for(
        lambda: stack.runs() and all(it["status"] in ENDED for it in stack.runs().values()),
        "the sensor's run has ended",
        600,
    )


def test_only_the_web_page_is_published_and_on_loopback_alone(stack: Stack) -> None:
    for service in SERVICES:
        ports = json.loads(
            docker(
                "inspect", "--format", "{{json .NetworkSettings.Ports}}", stack.container(service)
            )
        )
        bound = {(it["HostIp"], it["HostPort"]) for them in ports.values() for it in them or ()}
        assert bound == (
            {("127.0.0.1", str(stack.port))} if service == "dagster-webserver" else set()
        )


@pytest.mark.parametrize("service", _OURS)
def test_containers_have_no_rights_to_lose(stack: Stack, service: str) -> None:
    assert stack.execute(service, "id", "-u") == "10001"
    assert "0000000000000000" in stack.execute(service, "grep", "CapEff", "/proc/1/status")
    assert stack.execute(service, "sh", "-c", "touch /x 2>&1 || true").endswith(
        "Read-only file system"
    )


def test_no_password_is_in_the_file_or_in_what_docker_shows(stack: Stack) -> None:
    password = stack.execute("dagster-daemon", "cat", "/run/secrets/dagster_postgres_password")
    assert len(password) == 32
    for service in SERVICES:
        assert password not in docker("inspect", stack.container(service))
    assert password not in stack.execute("dagster-daemon", "cat", "/dagster/dagster.yaml")


def test_a_delivery_dropped_into_the_folder_is_processed(stack: Stack, sample: Path) -> None:
    settled(stack, sample)

    runs = [
        it
        for it in stack.runs().values()
        if {"key": "dagster/partition", "value": _DAY} in it["tags"]
    ]
    assert runs[-1]["status"] == "SUCCESS"
    assert {"key": "dagster/sensor_name", "value": "new_delivery_sensor"} in runs[-1]["tags"]
    assert len(stack.output("account_summary.csv").splitlines()) == 574


def test_a_run_launched_from_the_web_page_completes(stack: Stack, sample: Path) -> None:
    settled(stack, sample)

    run_id = stack.launch(_DAY)

    assert stack.expect_status(run_id, ENDED, 600) == "SUCCESS"


def test_a_changed_python_file_is_live_without_a_restart(stack: Stack) -> None:
    source = stack.folder / "src" / "lending_club_pipeline" / "defs" / "triggers.py"
    text = source.read_text()
    began = docker(
        "inspect", "--format", "{{.State.StartedAt}}", stack.container("dagster-user-code")
    )

    def described() -> str:
        repositories = stack.location().get("repositories", [{"sensors": []}])
        return " ".join(str(it["description"]) for it in repositories[0]["sensors"])

    try:
        source.write_text(text.replace("Process each new or changed", "Take each and every"))
        wait_for(lambda: "Take each and every" in described(), "the change is live", 120)

        source.write_text(text + "\nthis is no Python\n")
        wait_for(
            lambda: "SyntaxError" in str(stack.location().get("message")), "the error is shown", 120
        )
        stack.expect_health("dagster-user-code", "unhealthy", 180)
    finally:
        source.write_text(text)
    wait_for(lambda: "Process each new" in described(), "the mended file is live", 120)
    stack.expect_health("dagster-user-code", "healthy", 120)
    assert began == docker(
        "inspect", "--format", "{{.State.StartedAt}}", stack.container("dagster-user-code")
    )


def test_a_changed_dbt_file_is_live_without_a_restart(stack: Stack) -> None:
    source = stack.folder / "dbt" / "models" / "marts" / "delivery_ledger.sql"
    text = source.read_text()

    def message() -> str:
        return str(stack.location().get("message"))

    try:
        source.write_text(text + "\n{{ no_such_macro( }}\n")
        wait_for(lambda: "delivery_ledger" in message(), "dbt's error is shown", 180)
    finally:
        source.write_text(text)
    wait_for(lambda: stack.location()["__typename"] == "RepositoryLocation", "mended", 180)


@pytest.mark.parametrize("service", SERVICES)
def test_a_restart_during_a_run_ends_it_within_a_minute_and_the_queue_goes_on(
    stack: Stack, sample: Path, service: str
) -> None:
    settled(stack, sample)
    run_id = stack.launch(_DAY)
    stack.expect_status(run_id, ("STARTED",), 300)
    waiting = stack.launch(_DAY)

    stack.compose("restart", service)
    restarted = time.monotonic()

    ended = stack.expect_status(run_id, ENDED, 300)
    if service == "dagster-user-code":
        assert ended == "SUCCESS" or time.monotonic() - restarted < 60
    else:
        assert ended == "SUCCESS"
    assert stack.expect_status(waiting, ENDED, 600) == "SUCCESS"
    stack.expect_health(service, "healthy", 300)


def test_nothing_is_lost_when_the_services_go_down_and_come_up(stack: Stack, sample: Path) -> None:
    settled(stack, sample)
    before = {run_id: run["status"] for run_id, run in stack.runs().items()}
    summary = stack.output("account_summary.csv")

    stack.down()
    stack.up()

    assert stack.output("account_summary.csv") == summary
    # The sensor remembers what it took: it looks again, and starts nothing.
    time.sleep(90)
    assert {run_id: run["status"] for run_id, run in stack.runs().items()} == before
